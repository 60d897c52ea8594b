"""Google's TensorFlow 1 checkpoints, written as `google-research/bert` wrote them."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from model_store.checkpoints import Checkpoint
from model_store.encoder.config import EncoderConfig

Change = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def list_google_names(config: EncoderConfig) -> Iterator[tuple[str, str]]:
    """Yield Google's name and ours, spelt out."""
    yield "bert/embeddings/word_embeddings", "token_embedding/embeddings"
    yield "bert/embeddings/position_embeddings", "position_embedding/embeddings"
    yield "bert/embeddings/token_type_embeddings", "segment_embedding/embeddings"
    yield "bert/embeddings/LayerNorm/gamma", "embeddings_layer_norm/gamma"
    yield "bert/embeddings/LayerNorm/beta", "embeddings_layer_norm/beta"
    for index in range(config.num_layers):
        theirs, ours = f"bert/encoder/layer_{index}", f"transformer_layer_{index}"
        for part in ("query", "key", "value"):
            for variable in ("kernel", "bias"):
                yield f"{theirs}/attention/self/{part}/{variable}", f"{ours}/{part}/{variable}"
        for variable in ("kernel", "bias"):
            yield (
                f"{theirs}/attention/output/dense/{variable}",
                f"{ours}/attention_output/{variable}",
            )
            yield f"{theirs}/intermediate/dense/{variable}", f"{ours}/intermediate/{variable}"
            yield f"{theirs}/output/dense/{variable}", f"{ours}/feedforward_output/{variable}"
        for variable in ("gamma", "beta"):
            yield (
                f"{theirs}/attention/output/LayerNorm/{variable}",
                f"{ours}/attention_layer_norm/{variable}",
            )
            yield (
                f"{theirs}/output/LayerNorm/{variable}",
                f"{ours}/feedforward_layer_norm/{variable}",
            )
    head = "cls/predictions"
    for variable in ("kernel", "bias"):
        yield f"{head}/transform/dense/{variable}", f"masked_lm_head/transform/{variable}"
    for variable in ("gamma", "beta"):
        yield f"{head}/transform/LayerNorm/{variable}", f"masked_lm_head/layer_norm/{variable}"
    yield f"{head}/output_bias", "masked_lm_head/bias"
    for variable in ("kernel", "bias"):
        yield f"bert/pooler/dense/{variable}", f"pooled_dense/{variable}"


def google_variables(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the variables under Google's names, and what else a training leaves behind."""
    variables = {
        theirs: checkpoint.variables[ours] for theirs, ours in list_google_names(checkpoint.config)
    }
    adam = {
        f"{name}/{moment}": np.full_like(array, 7)
        for name, array in variables.items()
        for moment in ("adam_m", "adam_v")
    }
    wide = checkpoint.config.hidden_dim
    return {
        **variables,
        **adam,
        "global_step": np.int64(1_000_000),
        "cls/seq_relationship/output_weights": np.ones((2, wide), np.float32),
        "cls/seq_relationship/output_bias": np.ones(2, np.float32),
    }


def write_google_tf1(
    directory: Path,
    checkpoint: Checkpoint,
    *,
    change: Change = lambda variables: variables,
    **fields: Any,
) -> Path:
    """Write a checkpoint as `google-research/bert` does, and return its directory."""
    v1 = tf.compat.v1
    directory.mkdir(parents=True, exist_ok=True)
    with tf.Graph().as_default(), v1.Session() as session:
        variables = [
            v1.Variable(array, name=name, use_resource=False)
            for name, array in change(google_variables(checkpoint)).items()
        ]
        session.run(v1.global_variables_initializer())
        v1.train.Saver(variables).save(
            session, str(directory / "bert_model.ckpt"), write_meta_graph=False, write_state=False
        )
    config = checkpoint.config
    content = {
        "attention_probs_dropout_prob": config.dropout,
        "hidden_act": config.hidden_act,
        "hidden_dropout_prob": config.dropout,
        "hidden_size": config.hidden_dim,
        "initializer_range": 0.02,
        "intermediate_size": config.intermediate_dim,
        "max_position_embeddings": config.max_sequence_length,
        "num_attention_heads": config.num_heads,
        "num_hidden_layers": config.num_layers,
        "type_vocab_size": config.num_segments,
        "vocab_size": config.vocabulary_size,
        **fields,
    }
    (directory / "bert_config.json").write_text(json.dumps(content), "utf-8")
    (directory / "vocab.txt").write_bytes("\n".join(checkpoint.tokenizer.vocabulary).encode())
    return directory

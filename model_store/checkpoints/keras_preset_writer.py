"""Writing a KerasHub preset, which `keras_hub.models.BertMaskedLM.from_preset` loads.

What KerasHub's format cannot say stands in the object `fillmask` of `config.json`. Our reader takes
it; KerasHub does not look there and computes as its own BERT always does. So the same preset gives
the same answers in both only where the encoder has `gelu_new` and epsilon 1e-12, the head `gelu`
and 1e-5, and the tokenizer splits CJK characters.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from model_store.bert.config import BertConfig
from model_store.bert.tokenizer import BertTokenizer, SpecialTokens
from model_store.checkpoints.attention_heads import split_heads
from model_store.checkpoints.checkpoint import Checkpoint
from model_store.checkpoints.completeness import require_complete
from model_store.checkpoints.config_fields import EXTRA
from model_store.checkpoints.files import write_json, write_vocabulary
from model_store.checkpoints.keras_preset_names import (
    OPTIMIZER_ITERATIONS,
    OPTIMIZER_LEARNING_RATE,
    POOLER_BIAS,
    POOLER_KERNEL,
    list_backbone_datasets,
    list_head_datasets,
)
from model_store.checkpoints.new_directory import new_directory

_KERAS_HUB_VERSION = "0.32.0"
"""The version whose files these are like."""

_LEARNING_RATE = 5e-5
"""Where KerasHub's optimizer for this task starts."""


def write_keras_preset(checkpoint: Checkpoint, directory: Path) -> None:
    """Write a checkpoint as a KerasHub preset, in float32.

    KerasHub's backbone has a pooler, which no masked LM uses and ours has not: it is written as
    zeros. Train a classifier from such a preset only with a pooler of its own.

    Args:
        checkpoint: a complete one.
        directory: where the preset is to be; it appears when all of it is written.

    Raises:
        FileExistsError: there is something of that name.
        ValueError: KerasHub has no words for the decoder or the tokenizer.
        ModelLoadError: the checkpoint is incomplete.
    """
    require_complete(checkpoint)
    _require_expressible(checkpoint)
    with new_directory(directory) as unfinished:
        _write_configs(checkpoint, unfinished)
        _write_weights(checkpoint, unfinished)
        assets = unfinished / "assets" / "tokenizer"
        assets.mkdir(parents=True)
        write_vocabulary(assets / "vocabulary.txt", checkpoint.tokenizer.vocabulary)


def _require_expressible(checkpoint: Checkpoint) -> None:
    """Refuse what KerasHub would load and then answer wrongly, or not load at all."""
    advice = "write the Transformers format instead."
    if not checkpoint.config.tie_word_embeddings:
        message = f"KerasHub's BERT has no decoder apart from its word embeddings; {advice}"
        raise ValueError(message)
    if checkpoint.tokenizer.special_tokens != SpecialTokens():
        message = f"KerasHub's BERT knows no special tokens but [MASK] and its like; {advice}"
        raise ValueError(message)
    if not checkpoint.tokenizer.is_plain:
        message = f"The tokenizer is more than BERT's WordPiece, which is KerasHub's; {advice}"
        raise ValueError(message)


def _write_configs(checkpoint: Checkpoint, directory: Path) -> None:
    backbone = _describe_backbone(checkpoint.config)
    tokenizer = _describe_tokenizer(checkpoint.tokenizer)
    preprocessor = _describe_preprocessor(checkpoint.config, tokenizer)
    fields = {"backbone": backbone, "preprocessor": preprocessor, "name": "bert_masked_lm"}
    task = _describe("bert_masked_lm", "BertMaskedLM", fields)
    write_json(directory / "config.json", {**backbone, EXTRA: _list_extra(checkpoint)})
    write_json(directory / "tokenizer.json", tokenizer)
    write_json(directory / "preprocessor.json", preprocessor)
    write_json(directory / "task.json", task)
    write_json(directory / "metadata.json", {"keras_hub_version": _KERAS_HUB_VERSION})


def _list_extra(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what our reader needs and KerasHub's fields do not hold."""
    config, tokenizer = checkpoint.config, checkpoint.tokenizer
    return {
        "hidden_act": config.hidden_act,
        "layer_norm_epsilon": config.layer_norm_epsilon,
        "head_hidden_act": config.head_hidden_act,
        "head_layer_norm_epsilon": config.head_layer_norm_epsilon,
        "strip_accents": tokenizer.strip_accents,
        "split_cjk": tokenizer.split_cjk,
        "clean_up_spaces": tokenizer.clean_up_spaces,
    }


def _describe_backbone(config: BertConfig) -> dict[str, Any]:
    fields = {
        "name": "bert_backbone",
        "trainable": True,
        "vocabulary_size": config.vocabulary_size,
        "num_layers": config.num_layers,
        "num_heads": config.num_heads,
        "hidden_dim": config.hidden_dim,
        "intermediate_dim": config.intermediate_dim,
        "dropout": config.dropout,
        "max_sequence_length": config.max_sequence_length,
        "num_segments": config.num_segments,
    }
    return _describe("bert_backbone", "BertBackbone", fields)


def _describe_tokenizer(tokenizer: BertTokenizer) -> dict[str, Any]:
    strip_accents = tokenizer.strip_accents
    fields = {
        "name": "bert_tokenizer",
        "trainable": True,
        "config_file": "tokenizer.json",
        "vocabulary": None,
        "sequence_length": None,
        "lowercase": tokenizer.lowercase,
        # KerasHub's own tokenizer must drop what ours drops.
        "strip_accents": tokenizer.lowercase if strip_accents is None else strip_accents,
        "split": True,
        "suffix_indicator": "##",
        "oov_token": "[UNK]",
        "special_tokens": None,
        "special_tokens_in_strings": False,
    }
    return _describe("bert_tokenizer", "BertTokenizer", fields)


def _describe_preprocessor(config: BertConfig, tokenizer: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "name": "bert_masked_lm_preprocessor",
        "trainable": True,
        "tokenizer": tokenizer,
        "config_file": "preprocessor.json",
        "sequence_length": config.max_sequence_length,
        "truncate": "round_robin",
        "mask_selection_rate": 0.15,
        "mask_selection_length": 96,
        "mask_token_rate": 0.8,
        "random_token_rate": 0.1,
    }
    return _describe("bert_masked_lm_preprocessor", "BertMaskedLMPreprocessor", fields)


def _describe(module: str, class_name: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return an object as Keras serialises it."""
    return {
        "module": f"keras_hub.src.models.bert.{module}",
        "class_name": class_name,
        "config": fields,
        "registered_name": f"keras_hub>{class_name}",
    }


def _write_weights(checkpoint: Checkpoint, directory: Path) -> None:
    hidden_dim = checkpoint.config.hidden_dim
    with h5py.File(directory / "model.weights.h5", "w") as file:
        _write_datasets(file, list_backbone_datasets(checkpoint.config), checkpoint)
        file[POOLER_KERNEL] = np.zeros((hidden_dim, hidden_dim), np.float32)
        file[POOLER_BIAS] = np.zeros(hidden_dim, np.float32)
    with h5py.File(directory / "task.weights.h5", "w") as file:
        _write_datasets(file, list_head_datasets(), checkpoint)
        # KerasHub compiles what it loads, and warns where the optimizer finds no state.
        file[OPTIMIZER_ITERATIONS] = np.int64(0)
        file[OPTIMIZER_LEARNING_RATE] = np.float32(_LEARNING_RATE)


def _write_datasets(
    file: h5py.File, names: Iterable[tuple[str, str]], checkpoint: Checkpoint
) -> None:
    for theirs, ours in names:
        array = checkpoint.variables[ours].astype(np.float32)
        file[theirs] = split_heads(ours, array, checkpoint.config.num_heads)

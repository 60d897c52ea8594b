"""Writing a KerasHub preset, which `keras_hub.models.BertMaskedLM.from_preset` loads.

What KerasHub's format cannot say stands in the object `fillmask` of `config.json`. Our reader takes
it; KerasHub does not look there and computes as its own BERT always does. So the same preset gives
the same answers in both only where the encoder has `gelu_new` and epsilon 1e-12, the head `gelu`
and 1e-5, and the tokenizer splits CJK characters.
"""

from itertools import chain
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from model_store.checkpoints.attention_heads import split_heads
from model_store.checkpoints.checkpoint import Checkpoint, Variables
from model_store.checkpoints.completeness import require_complete
from model_store.checkpoints.config_fields import EXTRA
from model_store.checkpoints.files import write_json, write_vocabulary
from model_store.checkpoints.keras.names import (
    OPTIMIZER_ITERATIONS,
    OPTIMIZER_LEARNING_RATE,
    list_backbone_datasets,
    list_head_datasets,
    list_pooler_datasets,
)
from model_store.checkpoints.keras.preprocessor import PREPROCESSOR, describe_preprocessor
from model_store.checkpoints.new_directory import fill_directory
from model_store.encoder.config import EncoderConfig
from model_store.encoder.preprocessor_config import PreprocessorConfig
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import is_plain

_KERAS_HUB_VERSION = "0.32.0"
"""The version whose files these are like."""

_HEAD = "task.weights.h5"

_ADVICE = "write the Transformers format instead."

_LEARNING_RATE = 5e-5
"""Where KerasHub's optimizer for this task starts."""


def write_keras_preset(
    checkpoint: Checkpoint, directory: Path, settings: PreprocessorConfig | None = None
) -> None:
    """Write a checkpoint as a KerasHub preset, in float32.

    A masked LM needs no pooler, which KerasHub's backbone always has: where there is none it is
    written as zeros. Train a classifier from such a preset only with a pooler of its own.

    Args:
        checkpoint: a complete one.
        directory: where the preset is to be; the files of a KerasHub preset there are replaced.
        settings: how texts are preprocessed; None means rows as long as the model takes them.

    Raises:
        FileExistsError: there is something else of that name.
        ValueError: KerasHub has no words for the model, its decoder or its tokenizer.
        ModelLoadError: the checkpoint is incomplete.
    """
    require_complete(checkpoint)
    _require_tied(checkpoint.config)
    tokenizer = checkpoint.tokenizer
    require_plain(tokenizer)
    settings = settings or PreprocessorConfig(checkpoint.config.max_sequence_length)
    with fill_directory(directory) as unfinished:
        _write_backbone(checkpoint.config, checkpoint.variables, unfinished, tokenizer)
        _write_head(checkpoint.variables, unfinished)
        _write_preprocessor(tokenizer, settings, unfinished)
        _write_task(checkpoint.config, _describe_preprocessor(tokenizer, settings), unfinished)


def write_keras_model(config: EncoderConfig, variables: Variables, directory: Path) -> None:
    """Write a masked LM without a tokenizer, as KerasHub writes a task without a preprocessor.

    Raises:
        FileExistsError: there is something else of that name.
        ValueError: KerasHub has no words for the decoder.
    """
    _require_tied(config)
    with fill_directory(directory) as unfinished:
        _write_backbone(config, variables, unfinished)
        _write_head(variables, unfinished)
        _write_task(config, None, unfinished)


def write_keras_backbone(config: EncoderConfig, variables: Variables, directory: Path) -> None:
    """Write an encoder alone, without head or tokenizer.

    Raises:
        FileExistsError: there is something else of that name, or a masked LM: its head would be
            taken for this encoder's.
    """
    if (directory / _HEAD).exists():
        message = f"{directory} holds a masked LM; choose another name for its encoder alone."
        raise FileExistsError(message)
    with fill_directory(directory) as unfinished:
        _write_backbone(config, variables, unfinished)


def write_keras_preprocessor(
    tokenizer: SubwordTokenizer, settings: PreprocessorConfig | None, directory: Path
) -> None:
    """Write a tokenizer and, where there are settings, its preprocessor, without a model.

    Raises:
        FileExistsError: there is something else of that name.
        ValueError: KerasHub has no words for the tokenizer.
    """
    require_plain(tokenizer)
    with fill_directory(directory) as unfinished:
        if settings:
            _write_preprocessor(tokenizer, settings, unfinished)
        else:
            _write_tokenizer(tokenizer, unfinished)


def _require_bert(config: EncoderConfig) -> None:
    if config.family != "bert" or config.list_differences():
        message = (
            f"A model of the family {config.family!r} is no BERT of KerasHub's; "
            "keep the files it came from."
        )
        raise ValueError(message)


def _require_tied(config: EncoderConfig) -> None:
    if not config.tie_word_embeddings:
        message = f"KerasHub's BERT has no decoder apart from its word embeddings; {_ADVICE}"
        raise ValueError(message)


def require_plain(tokenizer: SubwordTokenizer) -> None:
    """Refuse a tokenizer that KerasHub would load and then cut texts in another way.

    Raises:
        ValueError: it is more than BERT's WordPiece.
    """
    if tokenizer.special_tokens != SpecialTokens():
        message = f"KerasHub's BERT knows no special tokens but [MASK] and its like; {_ADVICE}"
        raise ValueError(message)
    if not is_plain(tokenizer):
        message = f"The tokenizer is more than BERT's WordPiece, which is KerasHub's; {_ADVICE}"
        raise ValueError(message)


def _write_backbone(
    config: EncoderConfig,
    variables: Variables,
    directory: Path,
    tokenizer: SubwordTokenizer | None = None,
) -> None:
    _require_bert(config)
    described = {**_describe_backbone(config), EXTRA: _list_extra(config, tokenizer)}
    write_json(directory / "config.json", described)
    write_json(directory / "metadata.json", {"keras_hub_version": _KERAS_HUB_VERSION})
    zeros = {
        "pooled_dense/kernel": np.zeros((config.hidden_dim, config.hidden_dim), np.float32),
        "pooled_dense/bias": np.zeros(config.hidden_dim, np.float32),
    }
    names = chain(list_backbone_datasets(config), list_pooler_datasets())
    with h5py.File(directory / "model.weights.h5", "w") as file:
        for theirs, ours in names:
            array = {**zeros, **variables}[ours].astype(np.float32)
            file[theirs] = split_heads(ours, array, config.num_heads)


def _write_head(variables: Variables, directory: Path) -> None:
    with h5py.File(directory / _HEAD, "w") as file:
        for theirs, ours in list_head_datasets():
            file[theirs] = variables[ours].astype(np.float32)
        # KerasHub compiles what it loads, and warns where the optimizer finds no state.
        file[OPTIMIZER_ITERATIONS] = np.int64(0)
        file[OPTIMIZER_LEARNING_RATE] = np.float32(_LEARNING_RATE)


def _write_task(
    config: EncoderConfig, preprocessor: dict[str, Any] | None, directory: Path
) -> None:
    fields = {
        "backbone": _describe_backbone(config),
        "preprocessor": preprocessor,
        "name": "bert_masked_lm",
    }
    write_json(directory / "task.json", _describe("bert_masked_lm", "BertMaskedLM", fields))


def _write_preprocessor(
    tokenizer: SubwordTokenizer, settings: PreprocessorConfig, directory: Path
) -> None:
    write_json(directory / PREPROCESSOR, _describe_preprocessor(tokenizer, settings))
    _write_tokenizer(tokenizer, directory)


def _write_tokenizer(tokenizer: SubwordTokenizer, directory: Path) -> None:
    write_json(directory / "tokenizer.json", _describe_tokenizer(tokenizer))
    assets = directory / "assets" / "tokenizer"
    assets.mkdir(parents=True)
    write_vocabulary(assets / "vocabulary.txt", tokenizer.vocabulary)


def _list_extra(config: EncoderConfig, tokenizer: SubwordTokenizer | None) -> dict[str, Any]:
    """Return what our reader needs and KerasHub's fields do not hold."""
    extra: dict[str, Any] = {
        "hidden_act": config.hidden_act,
        "layer_norm_epsilon": config.layer_norm_epsilon,
        "head_hidden_act": config.head_hidden_act,
        "head_layer_norm_epsilon": config.head_layer_norm_epsilon,
    }
    if tokenizer:
        extra |= {
            "strip_accents": tokenizer.strip_accents,
            "split_cjk": tokenizer.split_cjk,
            "clean_up_spaces": tokenizer.clean_up_spaces,
        }
    return extra


def _describe_backbone(config: EncoderConfig) -> dict[str, Any]:
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


def _describe_tokenizer(tokenizer: SubwordTokenizer) -> dict[str, Any]:
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


def _describe_preprocessor(
    tokenizer: SubwordTokenizer, settings: PreprocessorConfig
) -> dict[str, Any]:
    fields = describe_preprocessor(settings, _describe_tokenizer(tokenizer))
    return _describe("bert_masked_lm_preprocessor", "BertMaskedLMPreprocessor", fields)


def _describe(module: str, class_name: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return an object as Keras serialises it."""
    return {
        "module": f"keras_hub.src.models.bert.{module}",
        "class_name": class_name,
        "config": fields,
        "registered_name": f"keras_hub>{class_name}",
    }

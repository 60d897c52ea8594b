"""The KerasHub format, as `keras_hub.models.BertMaskedLM.save_to_preset` writes it.

    config.json                            the backbone: class and shape
    model.weights.h5                       the backbone's weights
    task.json                              the task: its class
    task.weights.h5                        the head's weights
    tokenizer.json                         the tokenizer's options
    assets/tokenizer/vocabulary.txt        its entries, one a line

KerasHub's BERT fixes what its files do not say: the encoder's activation is GELU by its tanh
approximation with epsilon 1e-12, the head's is exact GELU with epsilon 1e-5. A preset that we
wrote says it in the object `fillmask` of `config.json`, which KerasHub does not read.
"""

import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import h5py

from model_store.checkpoints.attention_heads import join_heads
from model_store.checkpoints.checkpoint import Checkpoint, Variables
from model_store.checkpoints.config_fields import explain_config, read_extra, read_object
from model_store.checkpoints.files import read_json, read_vocabulary
from model_store.checkpoints.keras.names import (
    list_backbone_datasets,
    list_head_datasets,
    list_pooler_datasets,
)
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.errors import HeadMissingError, ModelLoadError


def is_keras_preset(config: dict[str, Any]) -> bool:
    """Say whether a `config.json` is one of KerasHub's."""
    return "class_name" in config


def read_keras_preset(directory: Path, *, weights: bool = True) -> Checkpoint:
    """Read a KerasHub preset of a `BertMaskedLM`.

    Raises:
        HeadMissingError: there are no task weights, or they are of another task.
        ModelLoadError: a file is missing, broken, or of a model that is no BERT.
    """
    if not weights:
        return read_keras_backbone(directory, weights=False)
    _require_masked_lm(directory)
    backbone = read_keras_backbone(directory, weights=False)
    return replace(backbone, variables=read_keras_model(directory)[1])


def read_keras_backbone(directory: Path, *, weights: bool = True) -> Checkpoint:
    """Read all of a KerasHub preset but its head.

    Raises:
        ModelLoadError: a file is missing, broken, or of a model that is no BERT.
    """
    config, variables = read_keras_model(directory, weights=weights, head=False)
    extra = read_extra("config.json", read_json(directory / "config.json"))
    return Checkpoint(config, _read_tokenizer(directory, extra), variables)


def read_keras_model(
    directory: Path, *, weights: bool = True, head: bool = True
) -> tuple[EncoderConfig, Variables]:
    """Read a KerasHub preset without its tokenizer, which it may lack.

    Args:
        directory: where the files are.
        weights: whether to read them; else there are no variables.
        head: whether to read that of a `BertMaskedLM` too.

    Raises:
        HeadMissingError: there are no task weights, or they are of another task.
        ModelLoadError: a file is missing, broken, or of a model that is no BERT.
    """
    raw = read_json(directory / "config.json")
    config = _read_config(raw, read_extra("config.json", raw))
    if not weights:
        return config, {}
    names = chain(list_backbone_datasets(config), list_pooler_datasets())
    variables = _read_datasets(directory / "model.weights.h5", names)
    if not head:
        return config, variables
    _require_masked_lm(directory)
    return config, {
        **variables,
        **_read_datasets(directory / "task.weights.h5", list_head_datasets()),
    }


def _read_config(raw: dict[str, Any], extra: dict[str, Any]) -> EncoderConfig:
    if raw["class_name"] != "BertBackbone":
        described = reprlib.repr(raw["class_name"])
        message = f"config.json describes a {described}; use a BertBackbone preset."
        raise ModelLoadError(message)
    fields = read_object("config.json", raw, "config")
    with explain_config("config.json"):
        return EncoderConfig(
            vocabulary_size=fields["vocabulary_size"],
            num_layers=fields["num_layers"],
            num_heads=fields["num_heads"],
            hidden_dim=fields["hidden_dim"],
            intermediate_dim=fields["intermediate_dim"],
            max_sequence_length=fields.get("max_sequence_length", 512),
            num_segments=fields.get("num_segments", 2),
            dropout=fields.get("dropout", 0.1),
            hidden_act=extra.get("hidden_act", "gelu_new"),
            layer_norm_epsilon=extra.get("layer_norm_epsilon", 1e-12),
            head_hidden_act=extra.get("head_hidden_act", "gelu"),
            head_layer_norm_epsilon=extra.get("head_layer_norm_epsilon", 1e-5),
        )


def _require_masked_lm(directory: Path) -> None:
    if not (directory / "task.weights.h5").is_file():
        message = (
            "The preset holds a backbone without a masked-LM head; "
            "use one that BertMaskedLM.save_to_preset() wrote."
        )
        raise HeadMissingError(message)
    task = read_json(directory / "task.json").get("class_name")
    if task != "BertMaskedLM":
        message = (
            f"The preset's task is {reprlib.repr(task)}, which has no masked-LM head; "
            "use a BertMaskedLM."
        )
        raise HeadMissingError(message)


def _read_datasets(path: Path, names: Iterable[tuple[str, str]]) -> Variables:
    """Return the datasets of a file by the path of our variable; what it lacks is left out."""
    with _open_weights(path) as file:
        found = [(theirs, ours) for theirs, ours in names if _holds(file, theirs)]
        # A file may claim to hold more than it does, and then takes memory for that.
        if sum(file[theirs].nbytes for theirs, _ in found) > path.stat().st_size:
            message = f"{path.name} holds less than it says; fetch it again."
            raise ModelLoadError(message)
        return {ours: join_heads(ours, file[theirs][()]) for theirs, ours in found}


def _holds(file: h5py.File, path: str) -> bool:
    """Say whether a file itself has a dataset: HDF5 may also point into other files."""
    if path not in file:
        return False
    dataset = file[path]
    is_own = isinstance(dataset, h5py.Dataset) and dataset.file.id == file.id
    return is_own and dataset.external is None and not dataset.is_virtual


@contextmanager
def _open_weights(path: Path) -> Iterator[h5py.File]:
    """Open a file; broken ones make h5py raise now this and now that, at any time."""
    try:
        if not path.is_file():
            raise FileNotFoundError  # a pipe would be waited for without end
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        message = f"{path.name} is missing or unreadable; fetch it again."
        raise ModelLoadError(message) from error


def _read_tokenizer(directory: Path, extra: dict[str, Any]) -> SubwordTokenizer:
    """Read the tokenizer.

    KerasHub leaves accents on where it lowercases; BERT was trained without them, and its
    vocabularies hold none. So accents go wherever text is lowercased, as in every other BERT.
    """
    raw = read_json(directory / "tokenizer.json")
    options = read_object("tokenizer.json", raw, "config")
    vocabulary = read_vocabulary(directory / "assets" / "tokenizer" / "vocabulary.txt")
    try:
        _require_once(vocabulary)
        return build_word_piece(
            vocabulary,
            lowercase=options.get("lowercase", False),
            strip_accents=extra.get(
                "strip_accents", True if options.get("strip_accents") else None
            ),
            split_cjk=extra.get("split_cjk", True),
            clean_up_spaces=bool(extra.get("clean_up_spaces")),
        )
    except (TypeError, ValueError) as error:
        message = f"The tokenizer cannot be used: {error}; fetch its files again."
        raise ModelLoadError(message) from error


def _require_once(vocabulary: list[str]) -> None:
    """Check that no entry stands twice, which KerasHub's tokenizer does not take."""
    for before, after in pairwise(sorted(vocabulary)):
        if before == after:
            message = f"the entry {reprlib.repr(after)} stands twice in the vocabulary"
            raise ValueError(message)

"""The KerasHub format, as `save_to_preset` of its masked LMs writes it.

    config.json                            the backbone: class and shape
    model.weights.h5                       the backbone's weights
    task.json                              the task: its class
    task.weights.h5                        the head's weights
    tokenizer.json                         the tokenizer's options
    assets/tokenizer/                      its vocabulary, see `tokenizers`

KerasHub's classes fix what their files do not say, activations and epsilons, see `families`. A
preset that we wrote says it in the object `fillmask` of `config.json`, which KerasHub does not
read.
"""

import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import Any

import h5py

from model_store.checkpoints.attention_heads import join_heads
from model_store.checkpoints.checkpoint import Array, Checkpoint, Variables
from model_store.checkpoints.config_fields import explain_config, read_extra, read_object
from model_store.checkpoints.files import read_json
from model_store.checkpoints.keras.families import BEYOND, KerasFamily, find_keras_family
from model_store.checkpoints.keras.names import DECODER
from model_store.checkpoints.keras.tokenizers import StoredTokenizer
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.errors import HeadMissingError, ModelLoadError

_LONGEST_REASON = 200


def is_keras_preset(config: dict[str, Any]) -> bool:
    """Say whether a `config.json` is one of KerasHub's."""
    return "class_name" in config


def read_keras_preset(directory: Path, *, weights: bool = True) -> Checkpoint:
    """Read a KerasHub preset of a masked LM.

    Raises:
        HeadMissingError: there are no task weights, or they are of another task.
        ModelLoadError: a file is missing, broken, or of a model of no family that is known.
    """
    if not weights:
        return read_keras_backbone(directory, weights=False)
    _require_masked_lm(directory, find_keras_family(read_json(directory / "config.json")))
    backbone = read_keras_backbone(directory, weights=False)
    return replace(backbone, variables=read_keras_model(directory)[1])


def read_keras_backbone(directory: Path, *, weights: bool = True) -> Checkpoint:
    """Read all of a KerasHub preset but its head.

    Raises:
        ModelLoadError: a file is missing, broken, or of a model of no family that is known.
    """
    config, variables = read_keras_model(directory, weights=weights, head=False)
    raw = read_json(directory / "config.json")
    return Checkpoint(config, read_tokenizer(directory, find_keras_family(raw), raw), variables)


def read_keras_model(
    directory: Path, *, weights: bool = True, head: bool = True
) -> tuple[EncoderConfig, Variables]:
    """Read a KerasHub preset without its tokenizer, which it may lack.

    Args:
        directory: where the files are.
        weights: whether to read them; else there are no variables.
        head: whether to read that of a masked LM too.

    Raises:
        HeadMissingError: there are no task weights, or they are of another task.
        ModelLoadError: a file is missing, broken, or of a model of no family that is known.
    """
    raw = read_json(directory / "config.json")
    family = find_keras_family(raw)
    config = _read_config(family, raw)
    if not weights:
        return config, {}
    variables = _read_datasets(directory / "model.weights.h5", family.list_backbone(config))
    if not head:
        return config, variables
    _require_masked_lm(directory, family)
    of_head = _read_datasets(directory / "task.weights.h5", family.list_head())
    read = {**variables, **of_head}
    if config.tie_word_embeddings:
        read.pop(DECODER, None)  # a class that always has one has the embeddings there
    return config, read


def _read_config(family: KerasFamily, raw: dict[str, Any]) -> EncoderConfig:
    fields = read_object("config.json", raw, "config")
    extra = read_extra("config.json", raw)
    with explain_config("config.json"):
        config = family.read_config(fields)
        return replace(config, **{name: extra[name] for name in BEYOND if name in extra})


def _require_masked_lm(directory: Path, family: KerasFamily) -> None:
    if not (directory / "task.weights.h5").is_file():
        message = (
            "The preset holds a backbone without a masked-LM head; "
            f"use one that {family.task}.save_to_preset() wrote."
        )
        raise HeadMissingError(message)
    task = read_json(directory / "task.json").get("class_name")
    if task != family.task:
        message = (
            f"The preset's task is {reprlib.repr(task)}, which has no masked-LM head; "
            f"use a {family.task}."
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
        return {ours: _arrange(ours, file[theirs][()]) for theirs, ours in found}


def _arrange(path: str, array: Array) -> Array:
    """Return a dataset in the shape of our variable; a decoder is a kernel there."""
    return array.T if path == DECODER else join_heads(path, array)


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


def read_tokenizer(directory: Path, family: KerasFamily, raw: dict[str, Any]) -> SubwordTokenizer:
    """Read the tokenizer of a preset.

    Args:
        directory: where its files are.
        family: that of the model.
        raw: the content of `config.json`.

    Raises:
        ModelLoadError: a file is missing or broken.
    """
    described = read_json(directory / "tokenizer.json")
    stored = StoredTokenizer(
        assets=directory / "assets" / "tokenizer",
        options=read_object("tokenizer.json", described, "config"),
        extra=read_extra("config.json", raw),
        backbone=read_object("config.json", raw, "config"),
    )
    try:
        return family.tokenizer.read(stored)
    except (KeyboardInterrupt, SystemExit, ModelLoadError):
        raise
    except BaseException as error:  # the library raises bare Exceptions, and panics that are none
        reason = shorten(str(error), _LONGEST_REASON)
        message = f"The tokenizer cannot be used: {reason}; fetch its files again."
        raise ModelLoadError(message) from error

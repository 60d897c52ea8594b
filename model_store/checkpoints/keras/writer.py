"""Writing a KerasHub preset, which `from_preset` of its masked LMs loads.

What KerasHub's format cannot say stands in the object `fillmask` of `config.json`. Our reader takes
it; KerasHub does not look there and computes as its own class always does. So the same preset gives
the same answers in both only where the model has the activations and epsilons of that class, drops
no token, and, where the vocabulary is a WordPiece, its tokenizer splits CJK characters.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from model_store.checkpoints.attention_heads import split_heads
from model_store.checkpoints.checkpoint import Array, Checkpoint, Variables
from model_store.checkpoints.completeness import require_complete
from model_store.checkpoints.config_fields import EXTRA
from model_store.checkpoints.files import write_json
from model_store.checkpoints.keras.descriptions import (
    ADVICE,
    describe_backbone,
    describe_preprocessor,
    describe_task,
    describe_tokenizer,
)
from model_store.checkpoints.keras.families import KerasFamily, Raw, find_keras_family_by_name
from model_store.checkpoints.keras.names import (
    DECODER,
    OPTIMIZER_ITERATIONS,
    OPTIMIZER_LEARNING_RATE,
)
from model_store.checkpoints.keras.preprocessor import PREPROCESSOR
from model_store.checkpoints.keras.preset import read_tokenizer
from model_store.checkpoints.new_directory import fill_directory
from model_store.encoder.config import EncoderConfig
from model_store.encoder.preprocessor_config import PreprocessorConfig
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.variable_shapes import list_pooler_shapes
from model_store.errors import ModelLoadError

_KERAS_HUB_VERSION = "0.32.0"
"""The version whose files these are like."""

_HEAD = "task.weights.h5"
_EMBEDDINGS, _POSITIONS, _SEGMENTS = (
    f"{name}_embedding/embeddings" for name in ("token", "position", "segment")
)

_LEARNING_RATE = 5e-5
"""Where KerasHub's optimizer for this task starts."""


class _Model(NamedTuple):
    """A masked LM, or an encoder alone, that has the parts of its class in KerasHub."""

    family: KerasFamily
    config: EncoderConfig
    variables: Variables


def write_keras_preset(
    checkpoint: Checkpoint, directory: Path, settings: PreprocessorConfig | None = None
) -> None:
    """Write a checkpoint as a KerasHub preset, in float32.

    A masked LM needs no pooler, which some of KerasHub's backbones always have: where there is none
    it is written as zeros. Train a classifier from such a preset only with a pooler of its own.

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
    tokenizer, config = checkpoint.tokenizer, checkpoint.config
    model = _adapt(config, checkpoint.variables, type(tokenizer.spelling))
    settings = settings or PreprocessorConfig(config.max_sequence_length)
    with fill_directory(directory) as unfinished:
        preprocessor, extra = _write_preprocessor(model.family, tokenizer, settings, unfinished)
        backbone = _write_backbone(model, unfinished, extra, tokenizer.pad_token_id)
        _write_task(model, backbone, preprocessor, unfinished)


def write_keras_model(
    config: EncoderConfig, variables: Variables, directory: Path, spelling: type | None = None
) -> None:
    """Write a masked LM without a tokenizer, as KerasHub writes a task without a preprocessor.

    Args:
        config: its shape.
        variables: its weights.
        directory: as of `write_keras_preset`.
        spelling: that of its vocabulary, where this tells classes of one family.

    Raises:
        FileExistsError: there is something else of that name.
        ValueError: KerasHub has no words for the model or its decoder.
    """
    model = _adapt(config, variables, spelling)
    with fill_directory(directory) as unfinished:
        _write_task(model, _write_backbone(model, unfinished), None, unfinished)


def write_keras_backbone(
    config: EncoderConfig, variables: Variables, directory: Path, spelling: type | None = None
) -> None:
    """Write an encoder alone, without head or tokenizer.

    Args:
        config: its shape.
        variables: its weights.
        directory: as of `write_keras_preset`.
        spelling: that of its vocabulary, where this tells classes of one family.

    Raises:
        FileExistsError: there is something else of that name, or a masked LM: its head would be
            taken for this encoder's.
        ValueError: KerasHub has no words for the encoder.
    """
    if (directory / _HEAD).exists():
        message = f"{directory} holds a masked LM; choose another name for its encoder alone."
        raise FileExistsError(message)
    model = _adapt(config, variables, spelling)
    with fill_directory(directory) as unfinished:
        _write_backbone(model, unfinished)


def write_keras_preprocessor(
    family_name: str,
    tokenizer: SubwordTokenizer,
    settings: PreprocessorConfig | None,
    directory: Path,
) -> None:
    """Write a tokenizer and, where there are settings, its preprocessor, without a model.

    Args:
        family_name: the `family` of the models that it is for.
        tokenizer: what cuts the texts.
        settings: how they are preprocessed.
        directory: as of `write_keras_preset`.

    Raises:
        FileExistsError: there is something else of that name.
        ValueError: KerasHub has no words for the tokenizer.
    """
    family = find_keras_family_by_name(family_name, type(tokenizer.spelling))
    with fill_directory(directory) as unfinished:
        if settings:
            _write_preprocessor(family, tokenizer, settings, unfinished)
        else:
            _write_tokenizer(family, tokenizer, unfinished)


def _adapt(config: EncoderConfig, variables: Variables, spelling: type | None) -> _Model:
    """Return a model with the parts of its class in KerasHub, which computes the same.

    Raises:
        ValueError: its family has no class, or that class no decoder apart from the embeddings.
    """
    family, variables = find_keras_family_by_name(config.family, spelling), dict(variables)
    parts = {ours for _, ours in (*family.list_backbone(config), *family.list_head())}
    if DECODER in parts and config.tie_word_embeddings:
        variables[DECODER] = variables[_EMBEDDINGS]
    elif DECODER not in parts and not config.tie_word_embeddings:
        message = (
            f"KerasHub's {family.task} has no decoder apart from its word embeddings; {ADVICE}"
        )
        raise ValueError(message)
    if config.num_segments == 1 and config.learned_positions and _SEGMENTS not in parts:
        variables[_POSITIONS] = variables[_POSITIONS] + variables[_SEGMENTS]
        config = replace(config, num_segments=0)
    if config.skipped_token is not None and config.learned_positions:
        # No text has padding in it but one that somebody writes there.
        variables[_POSITIONS] = variables[_POSITIONS][: config.max_sequence_length]
        config = replace(config, skipped_token=None)
    pooler = {path: np.zeros(shape, np.float32) for path, shape in list_pooler_shapes(config)}
    return _Model(family, config, {**pooler, **variables})


def _write_backbone(
    model: _Model, directory: Path, extra: Raw | None = None, padding: int | None = None
) -> Raw:
    """Write an encoder, and return its description."""
    described, unsaid = describe_backbone(model.family, model.config, padding)
    content = {**described, EXTRA: {**unsaid, **(extra or {})}}
    write_json(directory / "config.json", content)
    write_json(directory / "metadata.json", {"keras_hub_version": _KERAS_HUB_VERSION})
    with h5py.File(directory / "model.weights.h5", "w") as file:
        for theirs, ours in model.family.list_backbone(model.config):
            if ours in model.variables:  # an encoder may have no biases
                file[theirs] = _arrange(model, ours)
    return described


def _write_task(model: _Model, backbone: Raw, preprocessor: Raw | None, directory: Path) -> None:
    """Write a head, and what it is a head of."""
    write_json(directory / "task.json", describe_task(model.family, backbone, preprocessor))
    with h5py.File(directory / _HEAD, "w") as file:
        for theirs, ours in model.family.list_head():
            file[theirs] = _arrange(model, ours)
        # KerasHub compiles what it loads, and warns where the optimizer finds no state.
        file[OPTIMIZER_ITERATIONS] = np.int64(0)
        file[OPTIMIZER_LEARNING_RATE] = np.float32(_LEARNING_RATE)


def _arrange(model: _Model, path: str) -> Array:
    """Return a variable in the shape of its dataset."""
    array = model.variables[path].astype(np.float32)
    if path == DECODER:
        return array.T
    return split_heads(path, array, model.config.num_heads) if model.family.splits_heads else array


def _write_preprocessor(
    family: KerasFamily, tokenizer: SubwordTokenizer, settings: PreprocessorConfig, directory: Path
) -> tuple[Raw, Raw]:
    """Write a preprocessor; return its description, and what that does not say of a tokenizer."""
    described, extra = _write_tokenizer(family, tokenizer, directory)
    preprocessor = describe_preprocessor(family, settings, described)
    write_json(directory / PREPROCESSOR, preprocessor)
    return preprocessor, extra


def _write_tokenizer(
    family: KerasFamily, tokenizer: SubwordTokenizer, directory: Path
) -> tuple[Raw, Raw]:
    """Write a tokenizer; return its description, and what that does not say.

    Raises:
        ValueError: it is more than KerasHub's, which would cut texts in another way.
    """
    assets = directory / "assets" / "tokenizer"
    assets.mkdir(parents=True)
    options, extra = family.tokenizer.write_assets(tokenizer, assets)
    described = describe_tokenizer(family, options)
    write_json(directory / "tokenizer.json", described)
    raw = {"config": {"pad_token_id": tokenizer.pad_token_id}, EXTRA: extra}
    try:
        read = read_tokenizer(directory, family, raw)
    except ModelLoadError as error:
        raise ValueError(_name_tokenizer(family)) from error
    is_same = (
        read.special_tokens == tokenizer.special_tokens
        and read.clean_up_spaces == tokenizer.clean_up_spaces
        and read.list_parts() == tokenizer.list_parts()
    )
    if not is_same:
        raise ValueError(_name_tokenizer(family))
    return described, extra


def _name_tokenizer(family: KerasFamily) -> str:
    return f"The tokenizer is more than KerasHub's {family.tokenizer_class}; {ADVICE}"

"""The KerasHub format, as `keras_hub.models.BertMaskedLM.save_to_preset` writes it.

    config.json                            the backbone: class and shape
    model.weights.h5                       the backbone's weights
    task.json                              the task: its class
    task.weights.h5                        the head's weights
    tokenizer.json                         the tokenizer's options
    assets/tokenizer/vocabulary.txt        its entries, one a line

KerasHub's BERT fixes what its files do not say: the encoder's activation is GELU by its tanh
approximation with epsilon 1e-12, the head's is exact GELU with epsilon 1e-5.
"""

from pathlib import Path
from typing import Any

import h5py

from model_store.bert.config import BertConfig
from model_store.bert.tokenizer import BertTokenizer
from model_store.checkpoints.checkpoint import Array, Checkpoint, Variables
from model_store.checkpoints.files import read_json, read_vocabulary
from model_store.errors import HeadMissingError, ModelLoadError

_EMBEDDINGS = {
    "reversible_embedding/vars/0": "token_embedding/embeddings",
    "position_embedding/vars/0": "position_embedding/embeddings",
    "embedding/vars/0": "segment_embedding/embeddings",
    "layer_normalization/vars/0": "embeddings_layer_norm/gamma",
    "layer_normalization/vars/1": "embeddings_layer_norm/beta",
}
_LAYER = {
    "_self_attention_layer/query_dense": ("query", "kernel", "bias"),
    "_self_attention_layer/key_dense": ("key", "kernel", "bias"),
    "_self_attention_layer/value_dense": ("value", "kernel", "bias"),
    "_self_attention_layer/output_dense": ("attention_output", "kernel", "bias"),
    "_self_attention_layer_norm": ("attention_layer_norm", "gamma", "beta"),
    "_feedforward_intermediate_dense": ("intermediate", "kernel", "bias"),
    "_feedforward_output_dense": ("feedforward_output", "kernel", "bias"),
    "_feedforward_layer_norm": ("feedforward_layer_norm", "gamma", "beta"),
}
_HEAD = {
    "_intermediate_dense/vars/0": "transform/kernel",
    "_intermediate_dense/vars/1": "transform/bias",
    "_intermediate_layer_norm/vars/0": "layer_norm/gamma",
    "_intermediate_layer_norm/vars/1": "layer_norm/beta",
    "vars/0": "bias",
}


def is_keras_preset(config: dict[str, Any]) -> bool:
    """Say whether a `config.json` is one of KerasHub's."""
    return "class_name" in config


def read_keras_preset(directory: Path) -> Checkpoint:
    """Read a KerasHub preset of a `BertMaskedLM`.

    Raises:
        HeadMissingError: there are no task weights, or they are of another task.
        ModelLoadError: a file is missing, broken, or of a model that is no BERT.
    """
    config = _read_config(read_json(directory / "config.json"))
    _require_masked_lm(directory)
    variables = {
        **_read_backbone(directory / "model.weights.h5", config),
        **_read_head(directory / "task.weights.h5"),
    }
    return Checkpoint(config, _read_tokenizer(directory), variables)


def _read_config(raw: dict[str, Any]) -> BertConfig:
    if raw["class_name"] != "BertBackbone":
        message = f"config.json describes a {raw['class_name']!r}; use a BertBackbone preset."
        raise ModelLoadError(message)
    fields = raw.get("config", {})
    try:
        return BertConfig(
            vocabulary_size=fields["vocabulary_size"],
            num_layers=fields["num_layers"],
            num_heads=fields["num_heads"],
            hidden_dim=fields["hidden_dim"],
            intermediate_dim=fields["intermediate_dim"],
            max_sequence_length=fields.get("max_sequence_length", 512),
            num_segments=fields.get("num_segments", 2),
            dropout=fields.get("dropout", 0.1),
            hidden_act="gelu_new",
            head_layer_norm_epsilon=1e-5,
        )
    except KeyError as error:
        message = f"config.json has no {error}; take it from the original preset."
        raise ModelLoadError(message) from None
    except ValueError as error:
        message = f"config.json cannot be used: {error}; take it from the original preset."
        raise ModelLoadError(message) from None


def _require_masked_lm(directory: Path) -> None:
    if not (directory / "task.weights.h5").is_file():
        message = (
            "The preset holds a backbone without a masked-LM head; "
            "use one that BertMaskedLM.save_to_preset() wrote."
        )
        raise HeadMissingError(message)
    task = read_json(directory / "task.json").get("class_name")
    if task != "BertMaskedLM":
        message = f"The preset's task is {task}, which has no masked-LM head; use a BertMaskedLM."
        raise HeadMissingError(message)


def _read_backbone(path: Path, config: BertConfig) -> Variables:
    with _open_weights(path) as file:
        variables = _take(file, "layers/", _EMBEDDINGS, "")
        for index in range(config.num_layers):
            source = f"layers/transformer_encoder{f'_{index}' if index else ''}/"
            target = f"transformer_layer_{index}/"
            variables |= _take(file, source, _layer_paths(), target)
    for path_, array in variables.items():
        variables[path_] = _flatten_heads(path_, array, config.hidden_dim)
    return variables


def _read_head(path: Path) -> Variables:
    with _open_weights(path) as file:
        return _take(file, "layers/masked_lm_head/", _HEAD, "masked_lm_head/")


def _layer_paths() -> dict[str, str]:
    return {
        f"{source}/vars/{index}": f"{layer}/{variable}"
        for source, (layer, *variables) in _LAYER.items()
        for index, variable in enumerate(variables)
    }


def _take(file: h5py.File, source: str, paths: dict[str, str], target: str) -> dict[str, Array]:
    """Return the datasets of a file by the path of our variable; what it lacks is left out."""
    return {
        target + ours: file[source + theirs][()]
        for theirs, ours in paths.items()
        if _holds(file, source + theirs)
    }


def _holds(file: h5py.File, path: str) -> bool:
    """Say whether a file itself has a dataset: HDF5 may also point into other files."""
    if path not in file:
        return False
    dataset = file[path]
    is_own = isinstance(dataset, h5py.Dataset) and dataset.file.id == file.id
    return is_own and dataset.external is None and not dataset.is_virtual


def _flatten_heads(path: str, array: Array, hidden_dim: int) -> Array:
    """Join `[heads, head_dim]` to `hidden_dim` in the four projections of attention."""
    layer, _, variable = path.removeprefix("transformer_layer_").partition("/")[2].partition("/")
    if layer in {"query", "key", "value"}:
        return array.reshape(hidden_dim, -1) if variable == "kernel" else array.reshape(-1)
    if layer == "attention_output" and variable == "kernel":
        return array.reshape(-1, hidden_dim)
    return array


def _open_weights(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        message = f"{path.name} is missing or unreadable; fetch it again."
        raise ModelLoadError(message) from error


def _read_tokenizer(directory: Path) -> BertTokenizer:
    """Read the tokenizer.

    KerasHub leaves accents on where it lowercases; BERT was trained without them, and its
    vocabularies hold none. So accents go wherever text is lowercased, as in every other BERT.
    """
    options = read_json(directory / "tokenizer.json").get("config", {})
    try:
        return BertTokenizer.from_vocabulary(
            read_vocabulary(directory / "assets" / "tokenizer" / "vocabulary.txt"),
            lowercase=options.get("lowercase", False),
            strip_accents=True if options.get("strip_accents") else None,
        )
    except ValueError as error:
        message = f"The tokenizer cannot be used: {error}; fetch its files again."
        raise ModelLoadError(message) from error

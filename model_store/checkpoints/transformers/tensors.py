"""The weights of a directory under the names that its family's masked LM has for them.

They are in one file, or in parts that an index names.
"""

import reprlib
from pathlib import Path
from textwrap import shorten

from safetensors import SafetensorError
from safetensors.numpy import load_file

from model_store.checkpoints.files import is_there
from model_store.checkpoints.torch.file import read_torch_file
from model_store.checkpoints.transformers.families.family import Family, Tensors
from model_store.checkpoints.transformers.shards import read_shards
from model_store.errors import ModelLoadError

WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""Where weights may be; the first that there is counts."""

INDEXES = tuple(name for name in WEIGHTS if name.endswith(".index.json"))
"""Those that only name the files of weights."""

_LONGEST_REASON = 200
_WRAPPERS = ("module.", "_orig_mod.")
"""What `DataParallel` and `torch.compile` put before every name, and nothing else does."""


def read_tensors(directory: Path, family: Family) -> Tensors:
    """Return the tensors of a family's checkpoint by name, in their stored precision.

    Raises:
        ModelLoadError: a file is missing or broken, or its names are those of another model.
    """
    found = next((directory / name for name in WEIGHTS if is_there(directory / name)), None)
    if found is None:
        message = "model.safetensors is missing; save the model with safetensors."
        raise ModelLoadError(message)
    read = _read_safetensors if ".safetensors" in found.name else _read_torch
    tensors = read_shards(found, read) if found.name in INDEXES else read(found)
    return _unwrap({_modernize(name): tensor for name, tensor in tensors.items()}, family)


def _read_safetensors(path: Path) -> Tensors:
    _require_file(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError, KeyError, ValueError, AttributeError) as error:
        reason = shorten(str(error), _LONGEST_REASON)
        message = f"{path.name} cannot be read ({reason}); fetch it again."
        raise ModelLoadError(message) from error


def _read_torch(path: Path) -> Tensors:
    _require_file(path)
    return read_torch_file(path)


def _require_file(path: Path) -> None:
    """Refuse what is no plain file: a pipe would be waited for without end."""
    try:
        is_file = path.is_file()
    except OSError:
        is_file = False
    if not is_file:
        message = f"{path.name} is missing or no plain file; fetch it again."
        raise ModelLoadError(message)


def _modernize(name: str) -> str:
    """Return a tensor's name with LayerNorm's old spellings replaced."""
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )


def _unwrap(tensors: Tensors, family: Family) -> Tensors:
    """Return the tensors without what was put before all names, the encoder's under its prefix.

    Raises:
        ModelLoadError: they stand under a prefix of another model.
    """
    embeddings = family.word_embeddings.removeprefix(family.prefix)
    found = [name for name in tensors if name.endswith(embeddings)]
    if family.word_embeddings in found or not found:
        return tensors
    before = found[0].removesuffix(embeddings)
    outer = before.removesuffix(family.prefix)
    wrapper = outer
    while wrapper.startswith(_WRAPPERS):
        wrapper = wrapper.partition(".")[2]
    if wrapper or len(found) > 1:
        message = (
            f"The weights stand under {reprlib.repr(before)} and not under {family.prefix!r}; "
            f"use those of {family.title}, or save them under Transformers' own names."
        )
        raise ModelLoadError(message)
    inner = {name.removeprefix(outer): tensor for name, tensor in tensors.items()}
    if before != outer:
        return inner
    return {
        f"{family.prefix * name.startswith(family.bare)}{name}": tensor
        for name, tensor in inner.items()
    }

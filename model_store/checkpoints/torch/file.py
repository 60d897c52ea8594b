"""Reading `pytorch_model.bin` without PyTorch, as data: nothing in the file is ever run."""

from collections.abc import Callable
from pathlib import Path
from textwrap import shorten
from typing import Any, TypeAlias

from model_store.checkpoints.checkpoint import Array
from model_store.checkpoints.torch.leash import Tensor, make_array
from model_store.checkpoints.torch.legacy import read_torch_legacy
from model_store.checkpoints.torch.zip import MAGIC, read_torch_zip
from model_store.errors import ModelLoadError

_LONGEST_REASON = 200

_Reader: TypeAlias = Callable[[Path], tuple[Any, dict[str, bytes]]]


def read_torch_file(path: Path) -> dict[str, Array]:
    """Return the tensors of a `state_dict` by name, of PyTorch's format of today or before 1.6.

    Raises:
        ModelLoadError: the file is broken, of another format, or holds more than tensors.
    """
    try:
        content, values = _find_reader(path)(path)
        if isinstance(content, dict):
            return {
                name: make_array(tensor, values[tensor.storage.key])
                for name, tensor in content.items()
                if isinstance(name, str) and isinstance(tensor, Tensor)
            }
    except Exception as error:  # broken bytes may raise anything, Python's manual says of pickles
        reason = shorten(str(error), _LONGEST_REASON)
        message = f"{path.name} is no plain file of tensors ({reason}); save it as safetensors."
        raise ModelLoadError(message) from error
    message = f"{path.name} holds no state_dict; save the model as safetensors."
    raise ModelLoadError(message)


def _find_reader(path: Path) -> _Reader:
    with path.open("rb") as file:
        return read_torch_zip if file.read(len(MAGIC)) == MAGIC else read_torch_legacy

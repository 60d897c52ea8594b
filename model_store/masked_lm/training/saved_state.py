"""The state of a training in one file, which is there whole or not at all."""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from model_store.checkpoints.checkpoint import Array
from model_store.masked_lm.masked_lm import MaskedLM


@dataclass(frozen=True, slots=True)
class SavedState:
    """Everything that the rest of a training depends on.

    Attributes:
        step: how many updates were made.
        identity: what tells the training from another.
        losses: of the updates since the last line of the log.
        measured: the last measurement of the held-out text.
        log_bytes: how long the log was.
        variables: weights, the optimizer's variables, and the seeds of dropout.
        stream: `BatchStream.state()`.
    """

    step: int
    identity: dict[str, Any]
    losses: list[float]
    measured: dict[str, Any]
    log_bytes: int
    variables: list[Array]
    stream: dict[str, Array]


def write_state(state: SavedState, path: Path) -> None:
    """Write beside the file and rename: a kill at any moment leaves the old state or the new."""
    facts = {
        "step": state.step,
        "identity": state.identity,
        "losses": state.losses,
        "measured": state.measured,
        "log_bytes": state.log_bytes,
        "variables": len(state.variables),
    }
    arrays: dict[str, Any] = {
        f"variable_{index}": array for index, array in enumerate(state.variables)
    }
    arrays |= {f"stream_{name}": array for name, array in state.stream.items()}
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        np.savez(file, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8), **arrays)
    unfinished.replace(path)


def read_state(path: Path) -> SavedState | None:
    """Return the saved state, or None where there is none.

    Raises:
        ValueError: the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        return _read(path)
    except (BadZipFile, EOFError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise damaged(path) from error


def damaged(path: Path) -> ValueError:
    """Return what to say of a state that cannot be used."""
    message = f"{path} is damaged; delete {path.parent} to start anew."
    return ValueError(message)


def _read(path: Path) -> SavedState:
    # NumPy leaves a damaged file open.
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        facts = json.loads(file["facts"].tobytes())
        count = facts.pop("variables")
        variables = [file[f"variable_{index}"] for index in range(count)]
        names = [name for name in file.files if name.startswith("stream_")]
        stream = {name.removeprefix("stream_"): file[name] for name in names}
    return SavedState(**facts, variables=variables, stream=stream)


def read_variables(model: MaskedLM) -> list[Array]:
    """Return a model's weights, its optimizer's variables and its seeds."""
    return [keras.ops.convert_to_numpy(variable.value) for variable in _list_variables(model)]


def assign_variables(model: MaskedLM, arrays: list[Array]) -> None:
    """Put back what `read_variables` returned."""
    for variable, array in zip(_list_variables(model), arrays, strict=True):
        variable.assign(array)


def _list_variables(model: MaskedLM) -> list[Any]:
    measured = {id(variable) for variable in model.metrics_variables}
    own = [variable for variable in model.variables if id(variable) not in measured]
    return [*own, *model.optimizer.variables]

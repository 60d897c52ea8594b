"""Running one piece of code on keras-hub and on ours, and holding what comes of it together."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import keras_hub
import numpy as np

import fillmask

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Library:
    """One of the two: its classes, and what a case is run with.

    Attributes:
        name: `keras-hub` or `fillmask`.
        models: where the classes are.
        preset: a directory that keras-hub wrote.
        directory: an empty one.
    """

    name: str
    models: Any
    preset: str
    directory: Path

    @property
    def is_ours(self) -> bool:
        """Whether it is fillmask."""
        return self.name == "fillmask"


@dataclass(frozen=True)
class Case:
    """Something that both do.

    Attributes:
        of: the class.
        what: what is done, for the table.
        run: does it.
        reason: why what comes of it differs; empty where it is the same.
    """

    of: str
    what: str
    run: Callable[[Library], Any]
    reason: str = ""


def libraries(preset: Path, directory: Path) -> list[Library]:
    """Return both, each with a directory of its own."""
    both = {"keras-hub": keras_hub.models, "fillmask": fillmask}
    for name in both:
        (directory / name).mkdir()
    return [Library(name, models, str(preset), directory / name) for name, models in both.items()]


def outcome(case: Case, library: Library) -> Any:
    """Return what comes of a case in plain types; an error is its class."""
    keras.utils.set_random_seed(0)
    try:
        return _plain(case.run(library))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        return f"raises {type(error).__name__}"


def is_same(first: Any, second: Any) -> bool:
    """Say whether two outcomes are equal: numbers within the tolerance, types and shapes too."""
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        is_alike = first.dtype == second.dtype and first.shape == second.shape
        if first.dtype.kind != "f":
            return is_alike and bool(np.array_equal(first, second))
        return is_alike and bool(np.allclose(first, second, rtol=TOLERANCE, atol=TOLERANCE))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(is_same(first[k], second[k]) for k in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(is_same, first, second))
    if isinstance(first, float) and isinstance(second, float):
        return abs(first - second) <= TOLERANCE * max(1.0, abs(first))
    return type(first) is type(second) and bool(first == second)


def list_members(theirs: type, base: type) -> list[str]:
    """Return the public names that a class of keras-hub has beyond a class of Keras."""
    return sorted(name for name in set(dir(theirs)) - set(dir(base)) if not name.startswith("_"))


def render_table(cases: Iterable[Case], left_out: Mapping[tuple[str, str], str]) -> str:
    """Return the table that docs/training.md has of the comparison."""
    rows = [
        (case.of, case.what, f"differs: {case.reason}" if case.reason else "same") for case in cases
    ]
    rows += [(of, f"`{name}`", f"not here: {why}") for (of, name), why in left_out.items()]
    lines = "".join(f"| `{of}` | {what} | {result} |\n" for of, what, result in rows)
    return f"| class | what | beside keras-hub |\n|---|---|---|\n{lines}"


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool | int | float | None.__class__):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, type):
        return value.__name__
    array = np.asarray(keras.ops.convert_to_numpy(value))
    return array.astype(np.float32) if array.dtype.kind == "V" else array

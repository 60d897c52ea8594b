"""How fast models are, measured side by side: warm, in turns, on batches of growing size."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from model_store.engines.fill_mask import FillMaskModel

Clock: TypeAlias = Callable[[], float]

_LENGTH = 32
_MOST_TOKENS = 32_768
_GOOD_ENOUGH = 0.95
_LONGEST_S = 0.25
_PATIENCE = 2
_FEWEST_TOKENS = 1024
_ROUNDS = 5
_FEWEST_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a model is.

    Attributes:
        batch_tokens: the fewest tokens whose batch runs at 95 % of the best speed, or nearly so.
        busy: tokens a second of the best batches.
        alone: tokens a second of a text by itself.
    """

    batch_tokens: int
    busy: float
    alone: float


def measure_speeds(models: Mapping[str, FillMaskModel], clock: Clock) -> dict[str, Speed]:
    """Measure models against each other.

    Sizes double. A model has seen enough when a batch takes a quarter of a second, for a larger
    one would make others wait, or when two large ones in a row were no faster. Whatever else runs
    on the machine slows all alike, for they take turns, and the fastest of several runs counts.

    Args:
        models: by name; all have read the same files.
        clock: seconds, monotonic.
    """
    speeds: dict[str, dict[int, float]] = {name: {} for name in models}
    running = dict(models)
    rows = 1
    while running:
        for name, seconds in _time_in_turns(running, rows, clock).items():
            tokens = rows * min(_LENGTH, models[name].max_sequence_length)
            speeds[name][tokens] = tokens / seconds
            if seconds > _LONGEST_S or 2 * tokens > _MOST_TOKENS or _is_flat(speeds[name]):
                del running[name]
        rows *= 2
    return {name: _sum_up(found) for name, found in speeds.items()}


def _time_in_turns(
    models: Mapping[str, FillMaskModel], rows: int, clock: Clock
) -> dict[str, float]:
    """Return the seconds of the fastest run of each model; the first run of a shape is none."""
    batches = {
        name: [model.make_text(min(_LENGTH, model.max_sequence_length))] * rows
        for name, model in models.items()
    }
    fastest = dict.fromkeys(models, float("inf"))
    for name, model in models.items():
        model.predict(batches[name])
    begun = clock()
    for number in range(_ROUNDS):
        for name, model in models.items():
            started = clock()
            model.predict(batches[name])
            fastest[name] = min(fastest[name], clock() - started)
        if number + 1 >= _FEWEST_ROUNDS and clock() - begun > _LONGEST_S:
            break
    return fastest


def _is_flat(speeds: Mapping[int, float]) -> bool:
    before, lately = list(speeds.values())[:-_PATIENCE], list(speeds.values())[-_PATIENCE:]
    is_large = max(speeds) >= _FEWEST_TOKENS
    return is_large and max(before) >= _GOOD_ENOUGH * max(lately)


def _sum_up(speeds: Mapping[int, float]) -> Speed:
    best = max(speeds.values())
    enough = next(tokens for tokens, speed in speeds.items() if speed >= _GOOD_ENOUGH * best)
    return Speed(enough, best, next(iter(speeds.values())))

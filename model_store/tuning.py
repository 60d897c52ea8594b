"""What is measured before a model is served: its precision, and how many tokens make a batch."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TypeAlias

import numpy as np

from model_store.encoding import Encoding
from model_store.engines.engine import Precision
from model_store.errors import ModelLoadError
from model_store.fill_mask import FillMaskModel
from model_store.masked_sample import make_sample

AUTO_AGREEMENT = 0.995
"""A precision that is chosen by itself must keep this share of float32's first predictions."""

LEAST_AGREEMENT = 0.98
"""An integer one must keep this share to be offered at all."""

_SAMPLE_BATCH = 32
_LENGTH = 32
_MOST_TOKENS = 32_768
_GOOD_ENOUGH = 0.95
_LONGEST_S = 0.25
_REPEATS = 3

Load: TypeAlias = Callable[[Precision], FillMaskModel]
Clock: TypeAlias = Callable[[], float]


def tune(
    load: Load,
    wanted: Precision,
    available: Sequence[Precision],
    clock: Clock = perf_counter,
) -> FillMaskModel:
    """Load a model in the precision that suits it, and note on it what was measured.

    Args:
        load: makes the model in a precision.
        wanted: the precision to use; `auto` takes the fastest of `available` that agrees.
        available: what the machine computes fast in, float32 first.
        clock: seconds, monotonic.

    Raises:
        ModelLoadError: the wanted precision answers too differently.
    """
    model = load("float32")
    candidates = [p for p in (available if wanted == "auto" else [wanted]) if p != "float32"]
    if candidates:
        sample = make_sample(model)
        expected, seconds = _predict(model, sample, clock)
        fastest = seconds if wanted == "auto" else math.inf
        for precision in candidates:
            candidate = load(precision)
            found, seconds = _predict(candidate, sample, clock)
            agreement = float(np.mean([a == b for a, b in zip(found, expected, strict=True)]))
            _require_agreement(precision, agreement)
            if seconds < fastest and (wanted != "auto" or agreement >= AUTO_AGREEMENT):
                model, fastest = candidate, seconds
                model.facts = replace(model.facts, agreement=agreement)
    model.facts = replace(model.facts, batch_tokens=measure_batch_tokens(model, clock))
    return model


def measure_batch_tokens(model: FillMaskModel, clock: Clock = perf_counter) -> int:
    """Return the fewest tokens whose batch runs at 95 % of the best speed seen, or nearly so.

    Sizes double until a batch takes a quarter of a second: a larger one would make others wait.
    """
    speeds: dict[int, float] = {}
    length = min(_LENGTH, model.max_sequence_length)
    rows = 1
    while rows * length <= _MOST_TOKENS:
        batch = [model.make_text(length)] * rows
        model.predict(batch)
        seconds = min(_time(model, batch, clock) for _ in range(_REPEATS))
        speeds[rows * length] = rows * length / seconds
        if seconds > _LONGEST_S:
            break
        rows *= 2
    enough = _GOOD_ENOUGH * max(speeds.values())
    return next(tokens for tokens, speed in speeds.items() if speed >= enough)


def _require_agreement(precision: Precision, agreement: float) -> None:
    if precision == "int8" and agreement < LEAST_AGREEMENT:
        message = (
            f"In int8 this model keeps {agreement:.1%} of its first predictions and "
            f"{LEAST_AGREEMENT:.0%} are needed; set FILLMASK_PRECISION to auto."
        )
        raise ModelLoadError(message)


def _predict(
    model: FillMaskModel, sample: Sequence[Encoding], clock: Clock
) -> tuple[list[int], float]:
    """Return the first prediction of every mask, and how long a batch took."""
    first: list[int] = []
    seconds = []
    for start in range(0, len(sample), _SAMPLE_BATCH):
        begun = clock()
        results = model.predict(sample[start : start + _SAMPLE_BATCH])
        seconds.append(clock() - begun)
        first.extend(int(mask.token_ids[0]) for text in results for mask in text)
    return first, statistics.median(seconds)


def _time(model: FillMaskModel, batch: Sequence[Encoding], clock: Clock) -> float:
    begun = clock()
    model.predict(batch)
    return clock() - begun

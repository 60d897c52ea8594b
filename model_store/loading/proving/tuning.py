"""What is measured before a model is served: its precision, and how many tokens make a batch."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from operator import attrgetter
from time import perf_counter
from typing import TypeAlias

from model_store.engines.candidate import Candidate
from model_store.engines.engine import Precision
from model_store.engines.fill_mask import FillMaskModel
from model_store.errors import HeadUnprovenError
from model_store.loading.proving.likeness import Likeness, answer, compare
from model_store.loading.proving.masked_sample import make_sample
from model_store.loading.proving.speed import Clock, Speed, measure_speeds

CLEAR_MARGIN = 1.05
"""How many times as fast a precision must be to take the place of one that is nearer to float32."""

Load: TypeAlias = Callable[[Precision], FillMaskModel]


def tune(
    load: Load,
    wanted: Precision,
    available: Sequence[Precision],
    texts: Mapping[str, str],
    clock: Clock = perf_counter,
) -> FillMaskModel:
    """Load a model in the precision that suits it, and note on it what was measured.

    Args:
        load: makes the model in a precision.
        wanted: the precision to use; `auto` takes the fastest of `available` that agrees.
        available: what the machine computes fast in, float32 first.
        texts: by name; precisions are held against each other on those that the model can read.
        clock: seconds, monotonic.

    Raises:
        HeadUnprovenError: there are precisions to choose from, and no text that it can read.
    """
    candidates: Sequence[Precision] = available if wanted == "auto" else [wanted]
    others = [precision for precision in candidates if precision != "float32"]
    models: dict[str, FillMaskModel] = {"float32": load("float32")}
    models |= {precision: load(precision) for precision in others}
    likenesses = _compare(models, texts) if others else {}
    speeds = measure_speeds(models, clock)
    found = tuple(
        Candidate(name, **asdict(likeness), **_rate(speeds[name], speeds["float32"]))
        for name, likeness in likenesses.items()
    )
    chosen = _choose(found) if wanted == "auto" else wanted
    model = models[chosen]
    model.facts = replace(
        model.facts,
        agreement=next((c.agreement for c in found if c.precision == chosen), 1.0),
        batch_tokens=speeds[chosen].batch_tokens,
        candidates=found,
    )
    return model


def _compare(models: Mapping[str, FillMaskModel], texts: Mapping[str, str]) -> dict[str, Likeness]:
    sample = make_sample(models["float32"], texts)
    if not sample:
        raise HeadUnprovenError
    answers = {name: answer(model, sample) for name, model in models.items()}
    return {name: compare(answers["float32"], found) for name, found in answers.items()}


def _rate(speed: Speed, reference: Speed) -> dict[str, float]:
    gains = (speed.busy / reference.busy, speed.alone / reference.alone)
    return {"tokens_per_second": speed.busy, "speedup": math.sqrt(math.prod(gains))}


def _choose(candidates: Iterable[Candidate]) -> str:
    """Return the fastest that is faithful, or one nearer to float32 that is as fast, nearly."""
    chosen = Candidate("float32", 1.0, 0.0, 0.0, 0.0, speedup=1.0)
    for candidate in sorted(candidates, key=attrgetter("mean_difference")):
        if candidate.is_faithful and candidate.speedup >= CLEAR_MARGIN * chosen.speedup:
            chosen = candidate
    return chosen.precision

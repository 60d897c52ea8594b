"""Times of service from what was seen of a server, every load with the same say."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from bench.capacity.observations import Observations, Run
from bench.capacity.service_times import Atoms, Floats, ServiceTimes

_HOST_S = np.arange(0, 0.0020001, 0.00005)
"""What a request may take from the engine: up to two milliseconds."""
_KEPT = (np.arange(500) + 0.5) / 500
"""The percentiles that stand for a load, of which one may have many more batches than another."""

_FEWEST = 20


class TooFewBatchesError(ValueError):
    """Nothing can be fitted."""


def fit(observations: Observations, runs: Sequence[Run]) -> ServiceTimes:
    """Return times of service, fitted to some loads; those of hardly a batch have no say."""
    runs = [run for run in runs if len(observations.batches_of(run)) >= _FEWEST]
    if not runs:
        message = "No load had batches enough to be fitted to: was the machine busy with others?"
        raise TooFewBatchesError(message)
    seen = [_batches(observations, run) for run in runs]
    rates = [run.rate for run in runs]
    candidates = [_fit_batches(seen, rates, host_s) for host_s in _HOST_S]
    best = int(np.argmin([error for _, error in candidates]))
    (shared_s, token_s), _ = candidates[best]
    times = ServiceTimes(float(shared_s), float(token_s), float(_HOST_S[best]))
    noise = [
        seconds / times.batch(tokens, rate)
        for (tokens, seconds), rate in zip(seen, rates, strict=True)
    ]
    gap_s, gap_text_s = _fit_line(_gaps(observations, run) for run in runs)
    beside = [_beside(observations, run) for run in runs]
    overhead_s, overhead_text_s = _fit_line(beside)
    rest = [seconds - overhead_s - overhead_text_s * sizes for sizes, seconds in beside]
    return ServiceTimes(
        times.shared_s,
        times.token_s,
        times.host_s,
        noise=_pool(noise),
        gap_s=gap_s,
        gap_text_s=gap_text_s,
        overhead_s=overhead_s,
        overhead_text_s=overhead_text_s,
        overhead=_pool(rest),
    )


def _batches(observations: Observations, run: Run) -> tuple[Floats, Floats]:
    """Return the tokens of every batch, and for how long it had the engine."""
    # One that was handed over ahead began when the one before it ended.
    return _columns(
        (batch.tokens, batch.ended - max(batch.started, before.ended))
        for before, batch in pairwise(observations.batches_of(run))
    )


def _fit_batches(
    seen: Sequence[tuple[Floats, Floats]], rates: Sequence[float], host_s: float
) -> tuple[Floats, float]:
    """Return the two figures that make relative errors least, and how large they are."""
    tokens = np.concatenate([tokens for tokens, _ in seen])
    seconds = np.concatenate(
        [seconds * (1 - host_s * rate) for (_, seconds), rate in zip(seen, rates, strict=True)]
    )
    say = np.concatenate([np.full(len(tokens), 1 / len(tokens)) for tokens, _ in seen])
    rows = np.column_stack((np.ones(len(tokens)), tokens))
    expected = np.full(len(tokens), seconds.mean())
    figures = np.zeros(2)
    # What an error is relative to is itself fitted.
    for _ in range(4):
        scale = np.sqrt(say) / expected
        figures, *_ = np.linalg.lstsq(rows * scale[:, None], seconds * scale, rcond=None)
        expected = np.maximum(rows @ figures, seconds.min())
    return figures, float(say @ (seconds / expected - 1) ** 2)


def _gaps(observations: Observations, run: Run) -> tuple[Floats, Floats]:
    """Return texts answered, and how long the engine stood still though somebody waited."""
    batches = observations.batches_of(run)
    gaps = (
        (before.size, after.started - before.ended, after.waited)
        for before, after in pairwise(batches)
    )
    # One that was handed over ahead has no gap before it.
    return _columns((size, gap) for size, gap, waited in gaps if 0 < gap < waited)


def _beside(observations: Observations, run: Run) -> tuple[Floats, Floats]:
    """Return the size of each request's batch, and its time beside the queue and that batch."""
    journeys = observations.journeys_of(run)
    return _columns((journey.size, journey.before + journey.after) for journey in journeys)


def _columns(rows: Iterable[tuple[float, float]]) -> tuple[Floats, Floats]:
    table = np.array(list(rows), float).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _fit_line(seen: Iterable[tuple[Floats, Floats]]) -> tuple[float, float]:
    """Return where a line begins, and what it rises by; every load has the same say."""
    used = [(x, y) for x, y in seen if len(x)]
    x, y = (np.concatenate(parts) for parts in zip(*used, strict=True))
    say = np.sqrt(np.concatenate([np.full(len(part), 1 / len(part)) for part, _ in used]))
    rows = np.column_stack((np.ones(len(x)), x))
    (start, rise), *_ = np.linalg.lstsq(rows * say[:, None], y * say, rcond=None)
    return float(start), float(rise)


def _pool(parts: Iterable[Floats]) -> Atoms:
    return Atoms.of(np.concatenate([np.quantile(part, _KEPT) for part in parts if len(part)]))

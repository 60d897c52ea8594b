"""How often something can be called, and how long each call takes."""

import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Rate:
    """What was measured.

    Attributes:
        callers: how many called at a time.
        texts: how many texts each call had.
        texts_per_s: of all callers together.
        p50_ms: what half of the calls took at the most.
        p99_ms: what all but one of a hundred did.
    """

    callers: int
    texts: int
    texts_per_s: float
    p50_ms: float
    p99_ms: float


def measure(calls: Sequence[Call], texts: int, seconds: float) -> Rate:
    """Let callers call for so many seconds, each in its thread, and at least once.

    Each calls once before, which is not measured.
    """
    for call in calls:
        call()

    def repeat(call: Call) -> list[float]:
        times = [time.perf_counter()]
        while len(times) == 1 or times[-1] - times[0] < seconds:
            call()
            times.append(time.perf_counter())
        return [after - before for before, after in itertools.pairwise(times)]

    with ThreadPoolExecutor(len(calls)) as threads:
        took = [list(each) for each in threads.map(repeat, calls)]
    durations = sorted(duration for each in took for duration in each)
    rate = sum(len(each) / sum(each) for each in took)
    p50, p99 = (1000 * durations[int(share * (len(durations) - 1))] for share in (0.5, 0.99))
    return Rate(len(calls), texts, rate * texts, p50, p99)

"""Engines alone, without a server, and the products of their libraries, taking turns."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.flops import BatchShape, count_needed
from bench.machine_peak import count_product
from bench.plan import ENGINES, HEADLINE, PEAK_LIBRARIES, EngineName, Plan
from bench.shapes import BASE, TINY, Shape, locate_preset

_ROUND_PEAK_SIZE = 2048
SENTENCES = 128
"""How many of the callers' sentences the engine is given, to compare with the server."""


class WorkerError(Exception):
    """An engine's process ended."""


class WorkerProcess:
    """Speaks with an engine in its own process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Wait until the engine is there."""
        self._process = process
        self.ready = self._read()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Have a command carried out."""
        assert self._process.stdin is not None  # noqa: S101  # nosec B101  # it was opened as a pipe
        print(json.dumps({"do": do} | arguments), file=self._process.stdin, flush=True)
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101  # nosec B101  # it was opened as a pipe
        line = self._process.stdout.readline()
        if not line:
            message = f"the engine ended with {self._process.wait()}"
            raise WorkerError(message)
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def run_worker(directory: Path, engine: EngineName) -> Iterator[WorkerProcess]:
    """Start an engine's process and end it afterwards."""
    command = [sys.executable, "-m", "bench.engine_worker", str(directory)]
    process = subprocess.Popen(  # nosec B603  # our own programs
        [*command, engine.owner, engine.library, engine.precision],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield WorkerProcess(process)
    finally:
        process.kill()
        process.wait()


@dataclass(slots=True)
class EngineResults:
    """What was found; seconds are medians over all rounds.

    Attributes:
        batches: by shape, engine and batch.
        sentences: seconds for one of the callers' sentences, by shape and rows in a batch.
        peaks: operations a second by library and precision, or why there is no such product.
        notes: what could not be measured.
    """

    batches: dict[tuple[str, str, BatchShape], float] = field(default_factory=dict)
    sentences: dict[tuple[str, int], float] = field(default_factory=dict)
    peaks: dict[tuple[str, str], float | str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def fraction_of_peak(self, shape: Shape, engine: EngineName, batch: BatchShape) -> float:
        """Return the needed operations a second over those of the same library's product."""
        seconds = self.batches.get((shape.name, engine.label, batch), float("nan"))
        peak = self.peaks.get((engine.library, engine.precision))
        rate = peak if isinstance(peak, float) else float("nan")
        return count_needed(shape, batch) / seconds / rate


def measure_peaks(plan: Plan, store: Path, results: EngineResults) -> None:
    """Measure the large product of each library in each precision."""
    for library, precisions in PEAK_LIBRARIES:
        # Products need a process of their own, and any engine's will do: the smallest is used.
        with run_worker(store / TINY.name, EngineName("peak", library, "float32")) as worker:
            for precision in precisions:
                answer = worker.ask("peak", precision=precision, size=plan.peak_size)
                results.peaks[library, precision] = _read_peak(answer, plan.peak_size)


def _read_peak(answer: dict[str, Any], size: int) -> float | str:
    if "unsupported" in answer:
        return str(answer["unsupported"])
    # The best of all runs: a peak is what the machine can do, not what it does on average.
    return count_product(size) / float(min(answer["seconds"]))


def measure_engines(plan: Plan, store: Path, results: EngineResults) -> None:
    """Measure each engine on each batch, round by round."""
    for shape in plan.engine_shapes:
        times: dict[Any, list[float]] = {}
        with ExitStack() as stack:
            workers = _start_workers(stack, locate_preset(shape, store), results)
            for number in range(plan.rounds):
                is_needed = number == 0 and shape == BASE
                _measure_round(plan, shape, workers, times, results, is_needed=is_needed)
                # After every round, so that a run which is ended keeps its figures.
                _keep_medians(times, results)


def _keep_medians(times: dict[Any, list[float]], results: EngineResults) -> None:
    for key, seconds in times.items():
        if isinstance(key[-1], BatchShape):
            results.batches[key] = median(seconds)
        else:
            results.sentences[key] = median(seconds)


def _start_workers(
    stack: ExitStack, directory: Path, results: EngineResults
) -> dict[EngineName, WorkerProcess]:
    workers = {}
    for engine in ENGINES:
        try:
            worker = stack.enter_context(run_worker(directory, engine))
        except WorkerError as error:
            results.notes.append(f"{engine.label} on {directory.name}: {error}")
            continue
        if "unsupported" in worker.ready:
            results.notes.append(f"{engine.label}: {worker.ready['unsupported']}")
            continue
        workers[engine] = worker
    return workers


def _measure_round(
    plan: Plan,
    shape: Shape,
    workers: dict[EngineName, WorkerProcess],
    times: dict[Any, list[float]],
    results: EngineResults,
    *,
    is_needed: bool,
) -> None:
    # What ratios are made of comes first, and is measured once whatever time is left.
    for batch in sorted(plan.engine_batches, key=lambda batch: batch != HEADLINE):
        for engine, worker in workers.items():
            if plan.engines_are_spent and not (is_needed and batch == HEADLINE):
                results.notes.append(f"{engine.label} on {shape.name}, {batch}: no time left")
                continue
            answer = worker.ask(
                "batch",
                rows=batch.rows,
                length=batch.length,
                seconds=plan.shorten(plan.engine_seconds),
            )
            times.setdefault((shape.name, engine.label, batch), []).extend(answer["seconds"])
    for engine, worker in workers.items():
        if plan.engines_are_spent and not is_needed:
            results.notes.append(f"{engine.label} on {shape.name}, product: no time left")
            continue
        # The peak once a round, next to what it is compared with: the machine may be shared.
        answer = worker.ask("peak", precision=engine.precision, size=_ROUND_PEAK_SIZE)
        peak, key = _read_peak(answer, _ROUND_PEAK_SIZE), (engine.library, engine.precision)
        old = results.peaks.get(key)
        results.peaks[key] = max(peak, old) if _are_rates(peak, old) else peak
        if engine.owner == "fillmask":
            for rows in (1, 32):
                count = SENTENCES if rows > 1 else SENTENCES // 4
                answer = worker.ask("sentences", count=count, rows=rows)
                seconds = [second / count for second in answer["seconds"]]
                times.setdefault((shape.name, rows), []).extend(seconds)


def _are_rates(*values: object) -> bool:
    return all(isinstance(value, float) for value in values)

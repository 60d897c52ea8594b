"""The parts of a check, one after the other; what goes wrong in one is said and the next begins."""

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.engine_speed import WorkerError, run_worker
from bench.flops import BatchShape, count_needed
from bench.gpu_check.child import ChildError, run_child
from bench.gpu_check.plan import CheckPlan
from bench.gpu_check.results import CheckResults
from bench.gpu_check.serving import measure_server
from bench.machine_peak import count_product
from bench.plan import EngineName
from bench.servers import ServerStartError
from bench.shapes import locate_preset

_PRECISIONS = ("float32", "bfloat16", "float16")
_STOP_SECONDS = 1.0


class TimeUpError(Exception):
    """The time of a part is over."""


class Check:
    """One check: what it is to do, with which engines, and what it has found."""

    def __init__(self, plan: CheckPlan, store: Path, results: CheckResults) -> None:
        """Begin; the time counts from here."""
        self._plan = plan
        self._store = store
        self._results = results
        self._started = time.monotonic()

    def run(self) -> None:
        """Do every part in its share of the time."""
        # The longest is the last, so that it is the one that is cut short.
        for share, part in (
            (0.25, self._check_parity),
            (0.60, self._measure_servers),
            (0.72, self._measure_training),
            (1.00, self._measure_speeds),
        ):
            try:
                with self._time_until(share):
                    part()
            except TimeUpError:
                name = part.__name__.removeprefix("_").replace("_", " ")
                self._fail(f"No time was left to {name} to its end.")
        self._results.seconds = time.monotonic() - self._started

    @contextmanager
    def _time_until(self, share: float) -> Iterator[None]:
        def end(*_: object) -> None:
            raise TimeUpError

        left = self._started + share * self._plan.most_seconds - time.monotonic()
        signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, max(left, _STOP_SECONDS))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _fail(self, sentence: str) -> None:
        print(sentence, flush=True)
        self._results.failures.append(sentence)

    def _try(self, what: str, measure: Callable[[], Any]) -> Any:
        try:
            found = measure()
        except (ChildError, ServerStartError, WorkerError, RuntimeError) as error:
            self._fail(f"{what}: {error}.")
            return None
        print(f"{what}: {found}", flush=True)
        return found

    def _check_parity(self) -> None:
        uncased, cased = self._store / "embedded", self._store / "cased"
        # The cased one has random weights: shorter precisions move what nobody learnt.
        jobs = [f"float32:cased:{cased}", *(f"{name}:uncased:{uncased}" for name in _PRECISIONS)]
        for engine in self._results.devices:
            arguments = (engine, str(self._plan.texts), *jobs)
            found = self._try(
                f"{engine} parity", lambda a=arguments: run_child("bench.gpu_check.parity", *a)
            )
            for record in found or ():
                self._results.parity.append(record)
                if not record["holds"]:
                    what = "{engine} {precision} on the {golden} golden file".format(**record)
                    self._fail(f"{what} does not answer as Transformers does.")

    def _measure_servers(self) -> None:
        plan = self._plan
        for engine in self._results.devices:
            for workers in plan.workers:
                what = f"{engine} server, {workers} workers"
                found = self._try(
                    what,
                    lambda e=engine, w=workers: measure_server(plan, self._store, e, w),
                )
                if found is None:
                    continue
                key = {"engine": engine, "shape": plan.served.name}
                key |= {"workers": workers, "callers": plan.callers}
                self._results.servers.append(key | found)
                if found["errors"] or not found["answers"]:
                    self._fail(f"{what}: not every request was answered.")
                if found["compiled_after"]:
                    self._fail(f"{what} compiled {found['compiled_after']} programs when ready.")
                if engine == "jax" and not found["compiled_before"]:
                    self._fail(f"{what}: no compilation was seen, so none is counted.")

    def _measure_training(self) -> None:
        plan = self._plan
        precision = plan.precision if plan.precision == "float32" else f"mixed_{plan.precision}"
        directory = locate_preset(plan.trained, self._store)
        for engine in self._results.devices:
            numbers = (str(plan.train_steps), str(plan.train_tokens))
            arguments = (str(directory), *numbers, precision)
            found = self._try(
                f"{engine} training",
                lambda e=engine, a=arguments: run_child(
                    "bench.gpu_check.training", *a, KERAS_BACKEND=e
                ),
            )
            if found is not None:
                key = {"engine": engine, "precision": precision, "shape": plan.trained.name}
                self._results.training.append(key | {"tokens": plan.train_tokens} | found)

    def _measure_speeds(self) -> None:
        for shape in self._plan.shapes:
            for engine in self._results.devices:
                self._try(f"{engine} on {shape.name}", lambda e=engine, s=shape: self._time(e, s))

    def _time(self, engine: str, shape: Any) -> dict[str, Any]:
        """Time every length, and the product that they are held against."""
        plan, records = self._plan, self._results.speeds
        name = EngineName("untuned", engine, plan.precision)
        with run_worker(locate_preset(shape, self._store), name) as worker:
            if "unsupported" in worker.ready:
                raise WorkerError(worker.ready["unsupported"])
            product = worker.ask("peak", precision=plan.precision, size=plan.peak_size)
            peak = count_product(plan.peak_size) / min(product["seconds"])
            self._results.peaks[engine] = max(peak, self._results.peaks.get(engine, 0.0))
            for length in plan.lengths:
                batch = BatchShape(max(1, plan.batch_tokens // length), length)
                answer = worker.ask(
                    "batch", rows=batch.rows, length=length, seconds=plan.speed_seconds
                )
                seconds = sorted(answer["seconds"])[len(answer["seconds"]) // 2]
                key = {"engine": engine, "precision": plan.precision, "shape": shape.name}
                key |= {"rows": batch.rows, "length": length, "seconds": seconds}
                records.append(key | {"flops": count_needed(shape, batch) / seconds})
        return {"tflops": math.floor(peak / 1e9) / 1e3}

"""Servers that all run, under load in turns, forwards and backwards; who is not loaded, pauses.

What else the machine does meanwhile so meets all of them.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from tokenizers import Tokenizer

from bench.load import Job, Report
from bench.sentences import TOP_K, Body, make_mix
from bench.server_load import send_load
from bench.servers import RunningServer, Server, run_server

_FIRST_PORT = 18_600
_OPEN_CONNECTIONS = 256


@dataclass(frozen=True, slots=True)
class Effort:
    """How much each part does.

    Attributes:
        rounds: how often every server is loaded.
        seconds: how long each load is counted.
        warm_seconds: how long one runs before it counts.
    """

    rounds: int = 3
    seconds: float = 4.0
    warm_seconds: float = 1.0


@dataclass(slots=True)
class Course:
    """Servers that run, and what they answered, a report a round.

    Attributes:
        effort: how much is done.
        ports: where each server listens.
        running: what was started for each.
        reports: by server name and load.
    """

    effort: Effort
    preset: Path
    ports: dict[Server, int]
    running: dict[Server, RunningServer]
    reports: dict[tuple[str, Any], list[Report]] = field(default_factory=dict)

    def run(self, callers: tuple[int, ...]) -> None:
        """Load every server with so many callers, round by round, after a load to warm it."""
        for server in self.ports:
            with self.alone(server):
                send_load(server, self.make_job(server, max(callers)))
        for number in range(self.effort.rounds):
            for count in callers:
                for server in order(list(self.ports), number):
                    self.send(server, count, self.make_job(server, count))

    def send(self, server: Server, load: Any, job: Job) -> Report:
        """Send one load, and keep what came."""
        with self.alone(server):
            report = send_load(server, job)
        if report.errors:
            message = f"{server.name} did not answer everything with 200: {report.errors}"
            raise RuntimeError(message)
        self.reports.setdefault((server.name, load), []).append(report)
        return report

    @contextmanager
    def alone(self, server: Server) -> Iterator[None]:
        """Pause the other servers for the length of a block."""
        others = [running for each, running in self.running.items() if each != server]
        for other in others:
            other.pause()
        try:
            yield
        finally:
            for other in others:
                other.resume()

    def make_job(self, server: Server, callers: int) -> Job:
        """Return a closed load with the mix."""
        bodies, positions = make_mix_bodies(self.preset)
        return Job(
            port=self.ports[server],
            path=server.path,
            bodies=[json.dumps(server.translate(body)) for body in bodies],
            callers=callers,
            warm_seconds=self.effort.warm_seconds,
            seconds=self.effort.seconds,
            fewest=callers,
            most_seconds=4 * self.effort.seconds,
            reader=server.reader,
            positions=positions,
        )

    def make_open_job(self, server: Server, rate: float, seconds: float) -> Job:
        """Return requests that are due at a constant rate."""
        job = self.make_job(server, _OPEN_CONNECTIONS)
        return replace(job, rate=rate, seconds=seconds, fewest=0)

    def rate(self, server: Server, load: Any) -> float:
        """Return answers a second, the median of all rounds."""
        return median(report.rate for report in self.reports[server.name, load])

    def ratio(self, ours: Server, theirs: Server, load: Any) -> float:
        """Return the median of the rounds' own ratios: neighbours in time."""
        pairs = zip(self.reports[ours.name, load], self.reports[theirs.name, load], strict=True)
        return median(one.rate / other.rate for one, other in pairs)


def order(servers: list[Server], number: int) -> list[Server]:
    """Return the servers, every second round backwards."""
    return servers[::-1] if number % 2 else servers


def make_mix_bodies(preset: Path) -> tuple[list[Body], list[int]]:
    """Return the mix as bodies of our own, and where each one's mask is among its tokens."""
    texts = make_mix()
    tokenizer = Tokenizer.from_file(str(preset / "tokenizer.json"))
    positions = [tokenizer.encode(text).tokens.index("[MASK]") for text in texts]
    return [{"inputs": text, "top_k": TOP_K} for text in texts], positions


@contextmanager
def run_course(servers: list[Server], preset: Path, effort: Effort) -> Iterator[Course]:
    """Start servers on a preset, and end them afterwards."""
    ports = {server: _FIRST_PORT + number for number, server in enumerate(servers)}
    running: dict[Server, RunningServer] = {}
    with ExitStack() as stack:
        for server, port in ports.items():
            print(f"starting {server.name} ...", flush=True)
            running[server] = stack.enter_context(run_server(server, preset, port))
        yield Course(effort, preset, ports, running)

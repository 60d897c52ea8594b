"""Servers under load, the peers in turns with ours, on the same weights and bodies."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median

from tokenizers import Tokenizer

from bench.load import Job, Report
from bench.peers.vllm import VLLM
from bench.plan import Plan
from bench.sentences import make_bodies, make_sentences, make_warm_up_bodies
from bench.servers import ECHO, FILLMASK, PEERS, Server, ServerStartError, post, run_server
from bench.shapes import BASE, MINILM, TINY, Shape, locate_preset

PORT = 18_200
PEER_PORT = 18_300
PEER_CALLERS = 32
OPEN_LOAD = 0.7
"""The arrival rate of open loads, as a share of what the closed load of as many callers got."""

_POOL = 320
_OPEN_CONNECTIONS = 256
_MOST_PEER_ROUNDS = 2
_SCALING_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Cell:
    """One load on our server."""

    shape: str
    sentences: int
    callers: int
    kind: str


@dataclass(slots=True)
class ServerResults:
    """What was found.

    Attributes:
        cells: our server alone.
        peers: a report a round, by shape and server, at `PEER_CALLERS` callers.
        single: a report a round of our server with one caller, by shape.
        tails: by shape, an open load at `OPEN_LOAD` of saturation.
        scaling: seconds a token, by how many sentences were sent.
        notes: what could not be measured.
    """

    cells: dict[Cell, Report] = field(default_factory=dict)
    peers: dict[tuple[str, str], list[Report]] = field(default_factory=dict)
    single: dict[str, list[Report]] = field(default_factory=dict)
    tails: dict[str, Report] = field(default_factory=dict)
    scaling: dict[int, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def peer_rate(self, shape: str, server: str) -> float:
        """Return answers a second, the median of all rounds."""
        return median([r.rate for r in self.peers.get((shape, server), [])] or [float("nan")])

    def peer_p99(self, shape: str, server: str) -> float:
        """Return the median of the rounds' 99th percentiles, in seconds."""
        return median([r.p99 for r in self.peers.get((shape, server), [])] or [float("nan")])

    def single_seconds(self, shape: str) -> float:
        """Return what one caller waits, the median of all rounds."""
        return median([r.p50 for r in self.single.get(shape, [])] or [float("nan")])


def send_load(server: Server, job: Job) -> Report:
    """Run the generator in its own process."""
    result = subprocess.run(  # nosec B603  # our own program
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        message = f"the load on {server.name} failed: {result.stderr[-600:]}"
        raise RuntimeError(message)
    return Report(**json.loads(result.stdout))


def measure_ratios(plan: Plan, shape: Shape, store: Path, results: ServerResults) -> None:
    """Measure what ratios are made of, in any case: ours and the peers in turns, and the tail."""
    preset = locate_preset(shape, store)
    try:
        with run_server(FILLMASK, preset, PORT):
            for body in make_warm_up_bodies():
                post(FILLMASK, PORT, body)
            _measure_rounds(plan, shape, preset, results)
            _measure_tail(plan, shape, results)
            if shape == TINY:
                _measure_scaling(plan, store, results)
    except ServerStartError as error:
        results.notes.append(f"{FILLMASK.name} on {shape.name}: {error}")


def measure_cells(plan: Plan, shape: Shape, store: Path, results: ServerResults) -> None:
    """Measure our server under every load, while there is time."""
    if plan.is_spent:
        results.notes.append(f"{shape.name} under every load: no time left")
        return
    try:
        with run_server(FILLMASK, locate_preset(shape, store), PORT):
            _measure_cells(plan, shape, results)
    except ServerStartError as error:
        results.notes.append(f"{FILLMASK.name} on {shape.name}: {error}")


def list_peers(shape: Shape) -> list[Server]:
    """Return who serves a shape; vLLM answers the largest only, and is read for no other."""
    return [*PEERS, VLLM] if shape == BASE else PEERS


def make_job(plan: Plan, server: Server, port: int, sentences: int, callers: int) -> Job:
    """Return a closed load; slow servers get more time, so that many answers are counted."""
    bodies = make_bodies(_POOL, sentences)
    seconds = plan.shorten(plan.server_seconds)
    return Job(
        port=port,
        path=server.path,
        bodies=[json.dumps(server.translate(body)) for body in bodies],
        callers=callers,
        seconds=seconds,
        fewest=5 * callers,
        most_seconds=4 * seconds,
    )


def _measure_rounds(plan: Plan, shape: Shape, preset: Path, results: ServerResults) -> None:
    peers = [*([ECHO] if shape == TINY else []), *list_peers(shape)]
    for number in range(min(plan.rounds, _MOST_PEER_ROUNDS)):
        if number and not plan.has_time_for_more_rounds:
            results.notes.append(f"peers on {shape.name}, round {number + 1}: no time left")
            return
        single = send_load(FILLMASK, make_job(plan, FILLMASK, PORT, 1, 1))
        results.single.setdefault(shape.name, []).append(single)
        report = send_load(FILLMASK, make_job(plan, FILLMASK, PORT, 1, PEER_CALLERS))
        results.peers.setdefault((shape.name, FILLMASK.name), []).append(report)
        for peer in peers:
            try:
                with run_server(peer, preset, PEER_PORT):
                    send_load(peer, replace(make_job(plan, peer, PEER_PORT, 1, 8), fewest=0))
                    job = make_job(plan, peer, PEER_PORT, 1, PEER_CALLERS)
                    report = send_load(peer, job)
                results.peers.setdefault((shape.name, peer.name), []).append(report)
            except ServerStartError as error:
                results.notes.append(f"{peer.name} on {shape.name}: {error}")


def _measure_tail(plan: Plan, shape: Shape, results: ServerResults) -> None:
    """Offer 70 % of what 32 callers got, for long enough to see a 99th percentile."""
    rate = OPEN_LOAD * results.peer_rate(shape.name, FILLMASK.name)
    job = make_job(plan, FILLMASK, PORT, 1, _OPEN_CONNECTIONS)
    job = _open(job, rate, plan.shorten(plan.tail_seconds))
    results.tails[shape.name] = send_load(FILLMASK, job)


def _open(job: Job, rate: float, seconds: float) -> Job:
    changes = {"rate": rate, "seconds": seconds, "callers": _OPEN_CONNECTIONS}
    return Job(**(asdict(job) | changes))


def _measure_cells(plan: Plan, shape: Shape, results: ServerResults) -> None:
    rate = 0.0
    for sentences in plan.sentences:
        for callers in plan.callers:
            name = f"{shape.name}, {sentences} sentences, {callers} callers"
            seconds = callers * sentences / rate if rate else 0
            if plan.is_spent or seconds > 3 * plan.server_seconds:
                why = "no time left" if plan.is_spent else f"one answer each takes {seconds:.0f} s"
                results.notes.append(f"{name}: left out, {why}")
                continue
            job = make_job(plan, FILLMASK, PORT, sentences, callers)
            closed = send_load(FILLMASK, job)
            results.cells[Cell(shape.name, sentences, callers, "closed")] = closed
            if closed.answers:
                rate = closed.rate * sentences
                opened = send_load(
                    FILLMASK, _open(job, OPEN_LOAD * closed.rate, plan.server_seconds)
                )
                results.cells[Cell(shape.name, sentences, callers, "open")] = opened


def _measure_scaling(plan: Plan, store: Path, results: ServerResults) -> None:
    """Send ever more sentences, 32 a request from 8 callers, and divide by their tokens."""
    tokenizer = Tokenizer.from_file(str(locate_preset(MINILM, store) / "tokenizer.json"))
    lengths = [len(tokenizer.encode(text).ids) for text in make_sentences(_POOL * 32)]
    tokens = sum(lengths) / len(lengths)
    for count in plan.scalable_counts:
        expected = count * tokens * max(results.scaling.values(), default=0.0)
        # Two counts make the ratio; more must fit the time that the other loads leave.
        if len(results.scaling) > 1 and expected > _SCALING_SHARE * plan.most_seconds:
            results.notes.append(f"{count} sentences: they would take {expected:.0f} s")
            continue
        job = make_job(plan, FILLMASK, PORT, 32, 8)
        requests = max(1, count // 32)
        report = send_load(
            FILLMASK, Job(**(asdict(job) | {"requests": requests, "most_seconds": 240.0}))
        )
        if report.answers < requests:
            results.notes.append(f"{count} sentences: {report.answers} of {requests} answered")
        results.scaling[report.answers * 32] = report.seconds / (report.answers * 32 * tokens)

"""What is compared, part by part; each runs alone and takes a few minutes."""

from pathlib import Path
from statistics import median

from bench.peers.vllm import VLLM, VLLM_ALL_CORES
from bench.ratios.candidates import PIPELINE, make_fillmask
from bench.ratios.rounds import Course, Effort, make_mix_bodies, order, run_course
from bench.readers import READERS, take_content
from bench.record import Row
from bench.server_load import OPEN_LOAD, PEER_CALLERS, send_load
from bench.servers import Server, exchange

_PACKED_CALLERS = (8, 32, 64)
_VLLM_CALLERS = (1, PEER_CALLERS)
_COMPARED_TEXTS = 32
_TAIL_STRETCH = 3
"""A 99th percentile needs more answers than a rate does."""


def compare_packed(preset: Path, effort: Effort, against: Path | None) -> list[Row]:
    """Compare this checkout with another one, both in bfloat16, and this one's `auto` as well."""
    if against is None:
        message = "say which checkout to compare with: --against DIRECTORY, with its own .venv-test"
        raise SystemExit(message)
    before = make_fillmask("bfloat16", against.resolve())
    ours = [make_fillmask("bfloat16"), make_fillmask("auto")]
    with run_course([*ours, before], preset, effort) as course:
        course.run(_PACKED_CALLERS)
        return [
            write_rate(course, preset, server, before, callers)
            for callers in _PACKED_CALLERS
            for server in ours
        ]


def compare_pipeline(preset: Path, effort: Effort, _against: Path | None) -> list[Row]:
    """Compare with Transformers' pipeline behind FastAPI, float32, as its users write it."""
    ours = make_fillmask("auto")
    with run_course([ours, PIPELINE], preset, effort) as course:
        course.run((PEER_CALLERS,))
        return [write_rate(course, preset, ours, PIPELINE, PEER_CALLERS)]


def compare_vllm(preset: Path, effort: Effort, _against: Path | None) -> list[Row]:
    """Compare with vLLM, bfloat16 both, as it comes and with all cores for its engine."""
    ours, peers = make_fillmask("bfloat16"), (VLLM, VLLM_ALL_CORES)
    with run_course([ours, *peers], preset, effort) as course:
        rows = [compare_answers(course, preset, ours, VLLM)]
        course.run(_VLLM_CALLERS)
        return rows + [
            write_rate(course, preset, ours, peer, callers)
            for callers in _VLLM_CALLERS
            for peer in peers
        ]


def compare_tail(preset: Path, effort: Effort, _against: Path | None) -> list[Row]:
    """Compare p99 at 70 % of saturation with the time of a single request."""
    ours = make_fillmask("auto")
    singles, tails, answers = [], [], 0
    with run_course([ours], preset, effort) as course:
        send_load(ours, course.make_job(ours, PEER_CALLERS))  # it warms up
        for _ in range(effort.rounds):
            single = course.send(ours, 1, course.make_job(ours, 1))
            full = course.send(ours, PEER_CALLERS, course.make_job(ours, PEER_CALLERS))
            seconds = _TAIL_STRETCH * effort.seconds
            job = course.make_open_job(ours, OPEN_LOAD * full.rate, seconds)
            tail = course.send(ours, "open", job)
            singles.append(single.p50)
            tails.append(tail.p99)
            answers += tail.answers
    ratio = median(tail / single for tail, single in zip(tails, singles, strict=True))
    what = f"{preset.name}, open at {OPEN_LOAD:.0%} of saturation, {answers} answers: p99 ms"
    against = "one caller's median, ms"
    return [Row(what, median(tails) * 1e3, against, median(singles) * 1e3, ratio)]


def write_rate(course: Course, preset: Path, ours: Server, theirs: Server, callers: int) -> Row:
    """Return a ratio of rates."""
    plural = "s" if callers > 1 else ""
    what = f"{preset.name}, {callers} caller{plural}, {ours.name}: requests/s"
    rate, other = course.rate(ours, callers), course.rate(theirs, callers)
    return Row(what, rate, theirs.name, other, course.ratio(ours, theirs, callers))


def compare_answers(course: Course, preset: Path, ours: Server, theirs: Server) -> Row:
    """Return how many of the five best tokens two servers have in common, a mask."""
    bodies, positions = make_mix_bodies(preset)
    common = 0
    for body, position in zip(bodies[:_COMPARED_TEXTS], positions, strict=False):
        found = []
        for server in order([ours, theirs], 0):
            content = take_content(exchange(server, course.ports[server], body))
            found.append(set(READERS[server.reader](content, position)))
        common += len(found[0] & found[1])
    shared = common / _COMPARED_TEXTS
    what = f"{preset.name}, {_COMPARED_TEXTS} texts: of the five best tokens, in common"
    return Row(what, shared, theirs.name, 5.0, shared / 5)


PARTS = {
    "packed": compare_packed,
    "pipeline": compare_pipeline,
    "vllm": compare_vllm,
    "tail": compare_tail,
}

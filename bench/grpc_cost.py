"""What gRPC costs beside the native route: `python -m bench.grpc_cost`, two minutes.

One server, the embedded preset, 32 callers. Each kind of caller is measured in turns: answers a
second, and the processor time that the server takes for one. It needs the environments of `make
test` and `make test-clients`.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median

from bench.load import Job
from bench.machine import describe_load, describe_machine
from bench.ratios.candidates import ROOT, make_fillmask
from bench.record import Row, keep, write_rows
from bench.sentences import TOP_K, make_mix
from bench.servers import count_seconds, run_server
from bench.shapes import MINILM, locate_preset

_CLIENTS = ROOT / ".venv-clients" / "bin" / "python"
_NATIVE = "native route, raw HTTP"
_KINDS = (_NATIVE, "stub", "tritonclient.grpc.aio", "tritonclient.http.aio")
_HTTP, _GRPC = 18_700, 18_701
_CALLERS = 32


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(prog="python -m bench.grpc_cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--no-record", action="store_true", help="print only")
    arguments = parser.parse_args()
    print(f"{describe_machine()} Load before {describe_load()}.", flush=True)
    server = make_fillmask("bfloat16")
    server = replace(server, settings=(*server.settings, ("FILLMASK_GRPC_PORT", str(_GRPC))))
    rates: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    costs: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    with run_server(server, locate_preset(MINILM, Path()), _HTTP) as running:
        for kind in _KINDS:
            _load(kind, 1.0)
        for number in range(arguments.rounds):
            for kind in _KINDS if number % 2 else _KINDS[::-1]:
                before = count_seconds(running)
                answers, seconds = _load(kind, arguments.seconds)
                rates[kind].append(answers / seconds)
                # The load warms up for as long as a third of what is counted.
                costs[kind].append(1000 * (count_seconds(running) - before) / (answers * 4 / 3))
                print(f"{kind}: {rates[kind][-1]:.0f}/s, {costs[kind][-1]:.2f} ms", flush=True)
    rows = [
        Row(what, median(figures[kind]), _NATIVE, median(figures[_NATIVE]), _compare(figures, kind))
        for what_, figures in (("answers/s", rates), ("server's ms of processor", costs))
        for kind in _KINDS[1:]
        for what in [f"{kind}, {what_}"]
    ]
    print(f"\n{write_rows(rows)}\nLoad after {describe_load()}.")
    if not arguments.no_record:
        keep("grpc-embedded", rows, "python -m bench.grpc_cost")


def _compare(figures: dict[str, list[float]], kind: str) -> float:
    """Return the median of the rounds' ratios."""
    return median(o / t for o, t in zip(figures[kind], figures[_NATIVE], strict=True))


def _load(kind: str, seconds: float) -> tuple[int, float]:
    """Send one load; return how many answers came, and in how many seconds."""
    texts = make_mix()
    times = {"warm_seconds": seconds / 3, "seconds": seconds}
    if kind == _NATIVE:
        bodies = [json.dumps({"inputs": text, "top_k": TOP_K}) for text in texts]
        job = asdict(Job(_HTTP, "/fill-mask", bodies, _CALLERS, **times))
        command = [sys.executable, "-m", "bench.load"]
    else:
        job = {"client": kind, "model": MINILM.name, "texts": texts, "callers": _CALLERS, **times}
        job |= {"http": f"127.0.0.1:{_HTTP}", "grpc": f"127.0.0.1:{_GRPC}"}
        command = [str(_CLIENTS), "-m", "bench.grpc_load"]
    done = subprocess.run(  # nosec B603  # our own programs
        command, input=json.dumps(job), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    report = json.loads(done.stdout)
    if report.get("errors"):
        message = f"{kind} was not answered everything: {report['errors']}"
        raise RuntimeError(message)
    return report["answers"], report["seconds"]


if __name__ == "__main__":
    main()

"""One comparison in interleaved rounds: `python -m bench.ratios PART [--shape base]`.

    packed     this checkout against another one (--against), 8, 32 and 64 callers
    pipeline   against Transformers' pipeline behind FastAPI, 32 callers
    vllm       against vLLM, 1 and 32 callers, bfloat16; needs `make .venv-vllm/.stamp`
    tail       p99 at 70 % of saturation against one caller's time

Each takes two to four minutes. It prints a table and keeps it in `bench/results`.
"""

import argparse
import signal
import sys
from pathlib import Path

from bench.machine import describe_load, describe_machine
from bench.ratios.parts import PARTS
from bench.ratios.rounds import Effort
from bench.record import keep, write_rows
from bench.servers import ServerStartError
from bench.shapes import BASE, MINILM, locate_preset, make_presets

_CACHE = Path(__file__).parent.parent / ".cache" / "presets"
_SHAPES = {"embedded": MINILM, "base": BASE}


def main() -> None:
    """Compare, print and keep."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.ratios",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", choices=tuple(PARTS))
    parser.add_argument("--shape", choices=tuple(_SHAPES), default="base")
    parser.add_argument("--against", type=Path, help="the other checkout, for `packed`")
    parser.add_argument("--presets", type=Path, default=_CACHE, help="where presets are made")
    parser.add_argument("--rounds", type=int, default=Effort().rounds)
    parser.add_argument("--seconds", type=float, default=Effort().seconds)
    parser.add_argument("--no-record", action="store_true", help="print only")
    arguments = parser.parse_args()
    if arguments.part == "vllm" and arguments.shape != "base":
        parser.error("vllm is compared in the base shape only: leave --shape out")
    # Ended from outside, it still ends the servers that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    shape = _SHAPES[arguments.shape]
    if shape == BASE:
        make_presets(arguments.presets)
    print(f"{describe_machine()} Load before {describe_load()}.", flush=True)
    effort = Effort(rounds=arguments.rounds, seconds=arguments.seconds)
    preset = locate_preset(shape, arguments.presets)
    try:
        rows = PARTS[arguments.part](preset, effort, arguments.against)
    except ServerStartError as error:
        sys.exit(str(error))
    print(f"\n{write_rows(rows)}\nLoad after {describe_load()}.")
    if not arguments.no_record:
        command = f"python -m bench.ratios {arguments.part} --shape {arguments.shape}"
        name = f"{arguments.part}-{arguments.shape}"
        print(f"kept in {keep(name, rows, command).parent.name}/{name}.json")


if __name__ == "__main__":
    main()

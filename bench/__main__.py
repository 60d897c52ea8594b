"""Measure engines, the server and its peers: `python -m bench [--quick]`.

It prints what it found and adds it to `bench/LOG.md`; ratios and plots go into `bench/results`,
a folder a kind of machine.
"""

import argparse
import signal
import sys
from pathlib import Path

from bench.engine_speed import EngineResults, measure_engines, measure_peaks
from bench.machine import describe_load
from bench.plan import make_full_plan, make_quick_plan
from bench.plots import draw_all
from bench.record import keep
from bench.server_load import ServerResults, measure_cells, measure_ratios
from bench.shapes import BASE, MINILM, TINY, make_presets
from bench.table import add_to_log, list_ratios, write_entry

_CACHE = Path(__file__).parent / ".cache" / "presets"


def main() -> None:
    """Measure everything, or what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="8 minutes, not 25")
    parser.add_argument("--presets", type=Path, default=_CACHE, help="where presets are made")
    parser.add_argument("--no-log", action="store_true", help="print only")
    parser.add_argument("--only", choices=("engines", "servers"), help="half of it")
    arguments = parser.parse_args()
    # Ended from outside, it still ends the servers that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    load = describe_load()
    make_presets(arguments.presets)
    plan = make_quick_plan() if arguments.quick else make_full_plan()
    engines, servers = EngineResults(), ServerResults()
    try:
        if arguments.only != "servers":
            measure_peaks(plan, arguments.presets, engines)
            measure_engines(plan, arguments.presets, engines)
        if arguments.only != "engines":
            for shape in plan.peer_shapes:
                measure_ratios(plan, shape, arguments.presets, servers)
            for shape in (BASE, TINY, MINILM):
                measure_cells(plan, shape, arguments.presets, servers)
    except (KeyboardInterrupt, SystemExit):
        # What was found until then took minutes: it is worth keeping.
        servers.notes.append("everything after the run was ended from outside")
    command = " ".join(["python -m bench", *sys.argv[1:]])
    entry = write_entry(plan, engines, servers, command=command, load=load)
    print(entry)
    if not arguments.no_log:
        add_to_log(entry)
        file = keep("bench", list_ratios(engines, servers), command)
        draw_all(engines, servers, file.parent)


if __name__ == "__main__":
    main()

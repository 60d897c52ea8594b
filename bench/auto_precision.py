"""What `auto` chooses on this machine, and what that is worth over HTTP.

    python -m bench.auto_precision [ROUNDS]

One server for `auto` and one for each precision by name, on the embedded preset, all running, each
under load in turn, forwards and backwards: what else the machine does meanwhile meets all of them.
"""

import http.client
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from statistics import median
from typing import Any

from bench.cloze import embedded
from bench.load import Job
from bench.sentences import make_bodies, make_warm_up_bodies
from bench.server_load import send_load
from bench.servers import FILLMASK, post, run_server
from model_store.engines.openvino import describe_machine, list_precisions

PORT = 18_400
CALLERS = 32
SECONDS = 1.0


def main() -> None:
    """Print what each candidate gave, and the share that `auto` gets of the best."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    names = ("auto", *list_precisions())
    ports = {name: PORT + number for number, name in enumerate(names)}
    print(f"{describe_machine()}: {', '.join(names[1:])}")
    with tempfile.TemporaryDirectory() as cache, ExitStack() as servers:
        os.environ["FILLMASK_CACHE_DIR"] = cache
        for name, port in ports.items():
            os.environ["FILLMASK_PRECISION"] = name
            servers.enter_context(run_server(FILLMASK, embedded(), port))
            for body in make_warm_up_bodies():
                post(FILLMASK, port, body)
        chosen = describe(ports["auto"])
        print(f"auto takes {chosen['precision']}; candidates:")
        for candidate in chosen["candidates"]:
            print(f"  {json.dumps(candidate)}")
        rates: dict[str, list[float]] = {name: [] for name in names}
        for number in range(rounds):
            for name in names[:: -1 if number % 2 else 1]:
                rates[name].append(send_load(FILLMASK, make_job(ports[name])).rate)
    for name, found in rates.items():
        print(
            f"{name:9} {median(found):7.1f} requests/s, of {', '.join(f'{r:.0f}' for r in found)}"
        )
    best = max(names[1:], key=lambda name: median(rates[name]))
    shares = [ours / theirs for ours, theirs in zip(rates["auto"], rates[best], strict=True)]
    print(f"auto gets {median(shares):.3f} of {best}: the median of {rounds} rounds")


def describe(port: int) -> Any:
    """Return what a server says of the embedded preset."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/presets")
        presets = json.loads(connection.getresponse().read())["presets"]
    finally:
        connection.close()
    return next(preset for preset in presets if preset["name"] == embedded().name)


def make_job(port: int) -> Job:
    """Return the load of a round: one text a request, from callers who wait for their answer."""
    bodies = [json.dumps(body) for body in make_bodies(320, 1)]
    return Job(port, FILLMASK.path, bodies, CALLERS, warm_seconds=0.5, seconds=SECONDS)


if __name__ == "__main__":
    main()

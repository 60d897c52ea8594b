"""The real server under random arrivals at loads to fit on, and at others to predict."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tokenizers import Tokenizer

from bench.capacity.observations import Batch, Run
from bench.capacity.poisson_load import Answer
from bench.load import Job
from bench.machine import describe_load, describe_machine, read_commit
from bench.sentences import TOP_K, make_mix, make_warm_up_bodies
from bench.server_load import send_load
from bench.servers import Server, post, run_server
from bench.shapes import MINILM, locate_preset

FITTED = (0.1, 0.3, 0.5)
"""Loads that all figures are fitted on, as shares of the most that was answered.

From 70 % on answers also wait for the event loop. A figure that is fitted to that is none of a
replica at any other load.
"""
PREDICTED = (0.2, 0.4, 0.6, 0.75, 0.85)
"""Loads that are predicted, and measured for comparison only."""
_ORDER = tuple(sorted((*FITTED, *PREDICTED)))

MOST_TOKENS = 1024
"""What a batch may hold, which a server else measures for itself."""

_SETTINGS = (("FILLMASK_MAX_BATCH_TOKENS", str(MOST_TOKENS)),)
_SLEEPING = (("FILLMASK_ENGINE", "openvino"), ("FILLMASK_PRECISION", "float32"))
"""Nothing is to be tuned by an engine that sleeps."""
_PORT = 18_400
_PRESET = locate_preset(MINILM, Path())
_SATURATING_CALLERS = 64
_LEAST = 50.0
_FEWEST_CONNECTIONS, _MOST_CONNECTIONS = 16, 256


@dataclass(frozen=True, slots=True)
class Effort:
    """How long is measured; seconds, but for rounds and answers.

    Attributes:
        rounds: how often each load is offered: the machine is not the same all the time.
        seconds: each load, in each round: a machine that is slow for a while is so for both kinds.
        is_first: whether the server and who loads it get the cores before anybody else; it needs
            root, and takes the noise of a machine that others use.
        sleeps: whether the engine only sleeps: no neighbour of the machine makes it slower.
        warm_seconds: what does not count, at the begin of each load.
    """

    rounds: int = 3
    seconds: float = 10.0
    is_first: bool = False
    sleeps: bool = False
    warm_seconds: float = 1.0


class Offer(NamedTuple):
    """One load: the seed of its arrivals, its share of the most, requests a second, seconds."""

    seed: int
    share: float
    rate: float
    seconds: float
    warm_seconds: float


def measure(effort: Effort) -> dict[str, object]:
    """Return all that was seen, as plain values to keep: see `observations.read`."""
    texts = make_mix()
    tokenizer = Tokenizer.from_file(str(_PRESET / "tokenizer.json"))
    bodies = [json.dumps({"inputs": text, "top_k": TOP_K}) for text in texts]
    about = {"machine": describe_machine(), "commit": read_commit(), "before": describe_load()}
    about |= {"first": "with the cores before others"} if effort.is_first else {}
    about |= {"engine": "sleeps"} if effort.sleeps else {}
    with _running(effort) as (server, file):
        for body in make_warm_up_bodies():
            post(server, _PORT, body)
        most, runs = [], []
        for number in range(effort.rounds):
            # The machine is not the same all the time: each round has a most of its own.
            most.append(_saturate(server, bodies))
            print(f"{most[-1]:.0f} answers/s at most", flush=True)
            if most[-1] < _LEAST:
                sys.exit("So few say more of what else runs here: wait until it ends.")
            for place, share in enumerate(_ORDER):
                seed = number * len(_ORDER) + place
                offer = Offer(seed, share, most[-1] * share, effort.seconds, effort.warm_seconds)
                runs.append(_offer(offer, bodies))
        batches = [Batch(*map(float, line.split())) for line in file.read_text().splitlines()]
    return {
        **about,
        "after": describe_load(),
        "capacity": median(most),
        "lengths": [len(tokenizer.encode(text).ids) for text in texts],
        "runs": [asdict(run) for run in runs],
        "batches": [asdict(batch) for batch in batches],
    }


@contextmanager
def _running(effort: Effort) -> Iterator[tuple[Server, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "batches.txt"
        command = ("-m", "bench.capacity.watched_server", "{port}", str(file))
        settings = _SETTINGS
        if effort.sleeps:
            command, settings = (*command, "sleep"), (*settings, *_SLEEPING)
        server = Server("fillmask", command, settings=settings)
        with run_server(server, _PRESET, _PORT) as running:
            if effort.is_first:
                _put_first(os.getpid())
                _put_first(running.process.pid)
            yield server, file


def _put_first(pid: int) -> None:
    """Give the session of a process the cores before all others: Linux weighs whole sessions."""
    Path(f"/proc/{pid}/autogroup").write_text("-20", "ascii")


def _saturate(server: Server, bodies: list[str]) -> float:
    """Return how many answers a second callers get that always have a request under way."""
    job = Job(_PORT, server.path, bodies, _SATURATING_CALLERS, warm_seconds=2.0, seconds=5.0)
    return send_load(server, job).rate


def _offer(offer: Offer, bodies: list[str]) -> Run:
    callers = int(min(max(offer.rate / 2, _FEWEST_CONNECTIONS), _MOST_CONNECTIONS))
    job = Job(_PORT, "/fill-mask", bodies, callers, offer.warm_seconds, offer.seconds)
    job = replace(job, rate=offer.rate)
    result = subprocess.run(  # nosec B603  # our own program
        [sys.executable, "-m", "bench.capacity.poisson_load"],
        input=json.dumps({"job": asdict(job), "seed": offer.seed}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seen = json.loads(result.stdout)
    answers = [Answer(**answer) for answer in seen["answers"]]
    lost = sum(seen["errors"].values()) + seen["unanswered"]
    run = Run(offer.share, offer.rate, offer.seconds, answers, lost, seen["processor_s"])
    print(f"{offer.share:.0%}: {run.describe()}", flush=True)
    return run

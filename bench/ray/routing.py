"""Six presets where a replica has room for two: calls go where their preset is, or anywhere."""

import asyncio
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from bench.ray.application import PORT, Shape, deploy
from bench.ray.callers import Account, QuestionMaker, calling
from bench.ray.figures import Figures
from bench.ray.nodes import running_nodes
from bench.ray.sleeping_store import Costs, read_loads, write_presets
from bench.reliability.http_client import ask_once
from bench.reliability.server import read_sum

PRESETS = tuple(f"preset_{number}" for number in range(6))
ROOM = 2
"""How many of them a replica has room for."""

LOADS = {"uniform": (1.0,) * 6, "Zipf": tuple(1 / rank for rank in range(1, 7))}
"""How often each preset is asked for."""

ROUTERS = {"multiplexed": None, "random": "bench.ray.random_router.RandomRouter"}
_COSTS = Costs(load_s=1.0, batch_s=0.02)
_CALLERS = 3
"""One a replica: who comes while a load is under way and waits for it is counted as a hit too."""

_DEADLINE_S = 60.0
_WARM_S = 10.0
_SECONDS = 20.0
_REPLICAS = (3,)

_HEAD = (
    "replicas",
    "traffic",
    "routing",
    "answered",
    "failed",
    "loads",
    "hits, %",
    "answers/s",
    "p50, ms",
    "p99, ms",
)


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """What the service has counted; and the loads, that the store has."""

    hits: float
    misses: float
    loads: int


def measure() -> Figures:
    """Measure each routing of each traffic among so many replicas."""
    rows = []
    with running_nodes(workers=max(_REPLICAS), cpus=8) as nodes:
        del nodes  # all of them live
        for engines, routing in product(_REPLICAS, ROUTERS):
            with tempfile.TemporaryDirectory() as name:
                shape = _make_shape(Path(name), engines, routing)
                write_presets(shape.directory, PRESETS, _COSTS)
                deploy(shape)
                for traffic in LOADS:
                    figures = asyncio.run(_load(traffic, shape.directory))
                    rows.append([engines, traffic, routing, *figures])
                    print(rows[-1], flush=True)
    return Figures(
        "six presets with room for two a replica: calls that go where their preset is",
        f"Engines that sleep: a load {_COSTS.load_s:.0f} s, a batch {1000 * _COSTS.batch_s:.0f} "
        f"ms. {_CALLERS} callers, each with one request under way, {_SECONDS:.0f} s after "
        f"{_WARM_S:.0f} s that do not count. Random: one replica of all, by chance.",
        "at random, two of six presets are where a call comes: 33 % hits under uniform traffic, "
        "and up to half under Zipf's, whose two most frequent presets get 61 % of the calls. "
        "Multiplexed, three replicas have room for all six, so nearly every call is a hit, and "
        "more so with a fourth.",
        _HEAD,
        rows,
    )


def _make_shape(directory: Path, engines: int, routing: str) -> Shape:
    settings = {
        "default_preset": PRESETS[0],
        "preload": False,
        "max_loaded_presets": ROOM,
        "request_timeout_s": _DEADLINE_S,
    }
    return Shape(directory, settings, engines, ingresses=2, router=ROUTERS[routing])


async def _load(traffic: str, directory: Path) -> list[object]:
    make = QuestionMaker(PRESETS, LOADS[traffic])
    async with calling(PORT, make, _CALLERS, _DEADLINE_S) as account:
        await asyncio.sleep(_WARM_S)
        before, since = await _count(directory), len(account.asked)
        await asyncio.sleep(_SECONDS)
        after, until = await _count(directory), len(account.asked)
    counted = Account(account.asked[since:until])
    hits, misses = after.hits - before.hits, after.misses - before.misses
    return [
        len(counted.asked) - len(counted.failed),
        len(counted.failed),
        after.loads - before.loads,
        f"{100 * hits / (hits + misses):.1f}",
        f"{len(counted.asked) / _SECONDS:.1f}",
        f"{1000 * counted.percentile(50):.0f}",
        f"{1000 * counted.percentile(99):.0f}",
    ]


async def _count(directory: Path) -> CacheCounts:
    exposed = (await ask_once(PORT, "GET", "/metrics")).body.decode()
    hits, misses = (
        read_sum(exposed, f"fill_mask_model_cache_{what}_total") for what in ("hits", "misses")
    )
    return CacheCounts(hits, misses, len(read_loads(directory)))

"""A new version of a preset under load: by a reload, and by a new configuration."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from bench.ray.application import PORT, Shape, deploy
from bench.ray.callers import Account, QuestionMaker, calling
from bench.ray.faults import CALLERS, COSTS, DEADLINE_S, PRESET, make_shape
from bench.ray.figures import Figures
from bench.ray.nodes import running_nodes
from bench.ray.sleeping_store import write_presets, write_version
from bench.reliability.http_client import ask_once

ADMIN_KEY = "admin"
_NODES = 3
_CPUS = 8
_BEFORE_S = 3.0
_AFTER_S = 3.0

_HEAD = (
    "rolled out by",
    "requests",
    "failed",
    "by the old version",
    "by the new one",
    "old ones among those sent after it",
    "seconds",
    "p99 before, ms",
    "p99 meanwhile, ms",
)


@dataclass(frozen=True, slots=True)
class RolledOut:
    """A rollout under load.

    Attributes:
        account: every request.
        began: when it was begun.
        done: when whoever began it was told that it was done.
    """

    account: Account
    began: float
    done: float


def make_rolled_shape(directory: Path) -> Shape:
    """Return what is rolled out, with a key for whoever does it."""
    return make_shape(directory, admin_keys=ADMIN_KEY)


async def roll_out(change: Callable[[], None], callers: int = CALLERS) -> RolledOut:
    """Change something under load."""
    make = QuestionMaker([PRESET], [1.0])
    async with calling(PORT, make, callers, DEADLINE_S) as account:
        await asyncio.sleep(_BEFORE_S)
        began = perf_counter()
        await asyncio.to_thread(change)
        done = perf_counter()
        await asyncio.sleep(_AFTER_S)
    return RolledOut(account, began, done)


def reload_preset(directory: Path, version: int) -> None:
    """Put a version of the preset in its place, and have it loaded wherever it is."""
    write_version(directory, PRESET, version)
    answer = asyncio.run(
        ask_once(
            PORT,
            "POST",
            f"/presets/{PRESET}/load",
            b'{"reload": true}',
            authorization=f"Bearer {ADMIN_KEY}",
        )
    )
    if answer.status != 200:
        message = f"the reload was answered with {answer.status}: {answer.body!r}"
        raise RuntimeError(message)


def redeploy(shape: Shape, version: int) -> None:
    """Put a version of the preset in its place, and deploy another configuration."""
    write_version(shape.directory, PRESET, version)
    deploy(replace(shape, settings={**shape.settings, "max_queue_size": 2048 + version}))


def measure() -> Figures:
    """Roll out twice on a cluster of a head and three nodes."""
    rows = []
    with tempfile.TemporaryDirectory() as name, running_nodes(_NODES, _CPUS) as nodes:
        del nodes  # all of them live
        shape = make_rolled_shape(Path(name))
        write_presets(shape.directory, [PRESET], COSTS)
        deploy(shape)
        changes: dict[str, Callable[[], None]] = {
            "a reload": lambda: reload_preset(shape.directory, 1),
            "a new configuration": lambda: redeploy(shape, 2),
        }
        for version, (what, change) in enumerate(changes.items(), start=1):
            rows.append(_describe(what, asyncio.run(roll_out(change)), version))
            print(rows[-1], flush=True)
    return Figures(
        "a preset's new version, rolled out on a Ray cluster under load",
        f"A head and {_NODES} nodes on one machine, an engine and an ingress replica on each; "
        f"{CALLERS} callers, each with one request under way. Every answer says which version "
        "gave it.",
        "nobody fails. A reload takes about as long as a load, and from its answer on only the new "
        "version answers; a new configuration takes as long as all replicas take to start one "
        "after the other.",
        _HEAD,
        rows,
    )


def _describe(what: str, rolled: RolledOut, version: int) -> list[object]:
    before = Account([each for each in rolled.account.asked if each.ended < rolled.began])
    meanwhile = Account(
        [e for e in rolled.account.asked if e.is_under_way(rolled.began, rolled.done)]
    )
    versions = [each.version for each in rolled.account.asked]
    return [
        what,
        len(rolled.account.asked),
        len(rolled.account.failed),
        versions.count(version - 1),
        versions.count(version),
        sum(each.version == version - 1 for each in rolled.account.since(rolled.done).asked),
        f"{rolled.done - rolled.began:.1f}",
        f"{1000 * before.percentile(99):.0f}",
        f"{1000 * meanwhile.percentile(99):.0f}",
    ]

"""Killing an engine replica, an ingress replica, a proxy and a node under load."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from bench.ray.application import PORT, Shape, deploy, wait_until
from bench.ray.callers import ANSWERED, SILENT, Account, QuestionMaker, calling
from bench.ray.figures import Figures
from bench.ray.nodes import ENGINE, INGRESS, PROXY, Nodes, running_nodes
from bench.ray.sleeping_store import Costs, write_presets

PRESET = "sleepy"
DEADLINE_S = 20.0
CALLERS = 24
COSTS = Costs(load_s=0.5, batch_s=0.05, token_s=0.001)
_NODES = 3
_CPUS = 8
_BEFORE_S = 3.0
_AFTER_S = 8.0

STRIKES: dict[str, Callable[[Nodes], None]] = {
    "engine replica killed": partial(Nodes.kill_process, title=ENGINE),
    "ingress replica killed": partial(Nodes.kill_process, title=INGRESS),
    "proxy killed": partial(Nodes.kill_process, title=PROXY),
    "node killed": Nodes.kill_node,
    "node drained, then ended": Nodes.drain_node,
}

_HEAD = (
    "fault",
    "requests",
    "under way",
    "of these failed",
    "as",
    "later ones failed",
    "never answered",
    "last failure, s",
    "longest wait, s",
    "whole again, s",
)


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault under load.

    Attributes:
        account: every request.
        began: when the first process was sent its end.
        gone: when the last one was gone.
        whole: when as many replicas ran as before.
    """

    account: Account
    began: float
    gone: float
    whole: float

    @property
    def under_way(self) -> Account:
        """Return those who waited for an answer when it happened."""
        asked = self.account.asked
        return Account([each for each in asked if each.is_under_way(self.began, self.gone)])

    @property
    def later(self) -> Account:
        """Return those who asked after it had happened."""
        return self.account.since(self.gone)

    @property
    def last_failure_s(self) -> float:
        """How long after it somebody heard of a failure for the last time."""
        return max([each.ended - self.began for each in self.account.failed], default=0.0)

    @property
    def longest_wait_s(self) -> float:
        """How long somebody waited who was under way, or asked later, and was answered."""
        asked = (each for each in self.account.asked if each.ended >= self.began)
        return max([each.seconds for each in asked if each.outcome == ANSWERED], default=0.0)


def make_shape(directory: Path, **settings: object) -> Shape:
    """Return what is struck: as many replicas of each kind as there are nodes."""
    base = {"default_preset": PRESET, "request_timeout_s": DEADLINE_S}
    return Shape(directory, base | settings, engines=_NODES, ingresses=_NODES)


def is_whole(shape: Shape, nodes: Nodes) -> bool:
    """Say whether all replicas run: those that Serve knows of, and their processes."""
    found = (len(nodes.find(ENGINE)), len(nodes.find(INGRESS)))
    return found == (shape.engines, shape.ingresses) and shape.is_whole()


async def strike(
    shape: Shape, nodes: Nodes, hit: Callable[[Nodes], None], callers: int = CALLERS
) -> Struck:
    """Let a fault happen under load, and wait until everything is there again."""
    make = QuestionMaker([PRESET], [1.0])
    async with calling(PORT, make, callers, DEADLINE_S) as account:
        await asyncio.sleep(_BEFORE_S)
        began = perf_counter()
        await asyncio.to_thread(hit, nodes)
        gone = perf_counter()
        await asyncio.sleep(_AFTER_S)
        await asyncio.to_thread(wait_until, lambda: is_whole(shape, nodes))
        whole = perf_counter()
    return Struck(account, began, gone, whole)


def measure() -> Figures:
    """Strike a cluster of a head and three nodes."""
    rows = []
    with tempfile.TemporaryDirectory() as name, running_nodes(_NODES, _CPUS) as nodes:
        shape = make_shape(Path(name))
        write_presets(shape.directory, [PRESET], COSTS)
        deploy(shape)
        for what, hit in STRIKES.items():
            rows.append(_describe(what, asyncio.run(strike(shape, nodes, hit))))
            print(rows[-1], flush=True)
    return Figures(
        "nodes, replicas and proxies of a Ray cluster, killed under load",
        f"A head and {_NODES} nodes on one machine, an engine and an ingress replica on each, a "
        f"proxy on every node; engines that sleep {COSTS.batch_s} s a batch; {CALLERS} callers, "
        "each with one request under way.",
        "a call whose engine replica dies is asked of another one, so nobody notices. Who was with "
        "an ingress replica that dies gets 500, who was with a proxy a broken connection, and who "
        "was with a node one of both: a third of those under way, with three of each. Nothing that "
        "is sent afterwards fails, and nobody waits for ever.",
        _HEAD,
        rows,
    )


def _describe(what: str, struck: Struck) -> list[object]:
    failed = Account(struck.under_way.failed)
    return [
        what,
        len(struck.account.asked),
        len(struck.under_way.asked),
        len(failed.asked),
        ", ".join(f"{count} x {name}" for name, count in failed.outcomes.items()) or "-",
        len(struck.later.failed),
        struck.account.outcomes[SILENT],
        f"{struck.last_failure_s:.1f}",
        f"{struck.longest_wait_s:.1f}",
        f"{struck.whole - struck.began:.0f}",
    ]

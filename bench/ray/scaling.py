"""One engine replica against several, up to sixteen."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.ray.application import PORT, Shape, deploy
from bench.ray.callers import ANSWERED, Account, QuestionMaker, calling
from bench.ray.figures import Figures
from bench.ray.nodes import running_nodes
from bench.ray.sleeping_store import Costs, write_presets

PRESET = "sleepy"
REPLICAS = (1, 2, 4, 8, 16)
TEXTS = 32
"""A request's, so that a request costs Serve little beside what it costs an engine."""

_TEXT_TOKENS = 9
_TEXT_S = 1 / 32
_COSTS = Costs(batch_s=0.0, token_s=_TEXT_S / _TEXT_TOKENS)
_CALLERS_A_REPLICA = 4
_DEADLINE_S = 60.0
_WARM_S = 8.0
_SECONDS = 30.0

_HEAD = (
    "engine replicas",
    "requests/s",
    "texts/s",
    "of linear",
    "p50, s",
    "p99, s",
    "failed",
)


def measure() -> Figures:
    """Measure each number of replicas."""
    rows: list[list[object]] = []
    single = 0.0
    with tempfile.TemporaryDirectory() as name, running_nodes(workers=4, cpus=8) as nodes:
        del nodes  # all of them live
        shape = Shape(
            Path(name),
            {
                "default_preset": PRESET,
                "request_timeout_s": _DEADLINE_S,
                "max_batch_size": TEXTS,
            },
            ingresses=4,
        )
        write_presets(shape.directory, [PRESET], _COSTS)
        for engines in REPLICAS:
            deploy(replace(shape, engines=engines))
            account = asyncio.run(_load(engines))
            rate = find_rate(account)
            single = single or rate
            rows.append(
                [
                    engines,
                    f"{rate:.2f}",
                    f"{TEXTS * rate:.0f}",
                    f"{rate / (engines * single):.3f}",
                    f"{account.percentile(50):.2f}",
                    f"{account.percentile(99):.2f}",
                    len(account.failed),
                ]
            )
            print(rows[-1], flush=True)
    return Figures(
        "one engine replica on a Ray cluster against sixteen",
        f"A head and 4 nodes on one machine, an ingress replica on each. An engine sleeps "
        f"{1000 * _TEXT_S:.0f} ms a text, and a request has {TEXTS} texts: so sixteen replicas are "
        "given 16 requests a second, which cost Ray a quarter of what two cores have, and what is "
        f"measured is whether it keeps sixteen engines busy. {_CALLERS_A_REPLICA} callers a "
        f"replica, each with one request under way, {_SECONDS:.0f} s.",
        f"{1 / (TEXTS * _TEXT_S):.1f} requests/s a replica, and at least 0.9 of that sixteen "
        f"times. {_CALLERS_A_REPLICA} callers a replica wait for each other: half of them "
        f"{_CALLERS_A_REPLICA * TEXTS * _TEXT_S:.0f} s, and hardly anyone twice that, for calls go "
        "to the shorter of two queues.",
        _HEAD,
        rows,
    )


def find_rate(account: Account) -> float:
    """Return how many answers came a second, from the first to the last."""
    ends = sorted(each.ended for each in account.asked if each.outcome == ANSWERED)
    return (len(ends) - 1) / (ends[-1] - ends[0])


async def _load(engines: int) -> Account:
    make = QuestionMaker([PRESET], [1.0], TEXTS)
    callers = engines * _CALLERS_A_REPLICA
    async with calling(PORT, make, callers, _DEADLINE_S) as account:
        await asyncio.sleep(_WARM_S)
        since = len(account.asked)
        await asyncio.sleep(_SECONDS)
        return Account(account.asked[since:])

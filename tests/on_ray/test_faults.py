"""What callers get when parts of a cluster die under load, or are replaced."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from bench.ray.application import Shape, deploy, wait_until
from bench.ray.callers import ANSWERED, BROKEN
from bench.ray.faults import COSTS, PRESET, STRIKES, Struck, is_whole, strike
from bench.ray.nodes import Nodes, running_nodes
from bench.ray.rollout import make_rolled_shape, redeploy, reload_preset, roll_out
from bench.ray.sleeping_store import write_presets

pytestmark = pytest.mark.ray

_NODES = 3
_CPUS = 8
_CALLERS = 12


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Run a head and three nodes."""
    with running_nodes(_NODES, _CPUS) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def shape(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Shape:
    """Deploy an engine replica and an ingress replica on each node."""
    shape = make_rolled_shape(tmp_path_factory.mktemp("presets"))
    write_presets(shape.directory, [PRESET], COSTS)
    deploy(shape)
    wait_until(lambda: is_whole(shape, nodes))
    return shape


@pytest.fixture
def hit(shape: Shape, nodes: Nodes) -> Iterator[Callable[[str], Struck]]:
    """Return what strikes the cluster; afterwards it has as many nodes as before."""

    def hit(what: str) -> Struck:
        return asyncio.run(strike(shape, nodes, STRIKES[what], _CALLERS))

    yield hit
    for _ in range(_NODES - nodes.workers):
        nodes.add(_CPUS)


def test_engine_replica_that_dies_costs_nobody_an_answer(hit: Callable[[str], Struck]) -> None:
    """Whoever waited for it is answered by another one."""
    struck = hit("engine replica killed")
    assert struck.under_way.asked
    assert struck.later.outcomes[ANSWERED] > 0
    assert struck.account.failed == []


@pytest.mark.parametrize("what", ["ingress replica killed", "proxy killed", "node killed"])
def test_who_was_there_gets_an_error_and_nobody_else(
    hit: Callable[[str], Struck], what: str
) -> None:
    """At once, never silence; whoever asks next is answered."""
    struck = hit(what)
    failed = struck.account.failed
    assert {each.outcome for each in failed} <= {BROKEN, "500 without a code"}
    assert [each for each in failed if each not in struck.under_way.asked] == []
    assert len(failed) < len(struck.under_way.asked)
    assert struck.later.outcomes[ANSWERED] > 0


def test_node_that_is_drained_first_only_breaks_connections(hit: Callable[[str], Struck]) -> None:
    """Its replicas are gone by then; who is connected to its proxy has to send again."""
    struck = hit("node drained, then ended")
    failed = struck.account.failed
    assert {each.outcome for each in failed} <= {BROKEN}
    assert len(failed) < _CALLERS
    assert struck.later.failed == []
    assert struck.later.outcomes[ANSWERED] > 0


def test_reload_fails_nobody(shape: Shape) -> None:
    """From its answer on, only the new version answers."""
    reload_preset(shape.directory, 0)
    rolled = asyncio.run(roll_out(partial(reload_preset, shape.directory, 1), _CALLERS))
    assert rolled.account.failed == []
    assert {each.version for each in rolled.account.asked} == {0, 1}
    assert {each.version for each in rolled.account.since(rolled.done).asked} == {1}


def test_new_configuration_fails_nobody(shape: Shape) -> None:
    """Replicas are replaced, one after the other; the new ones load what is there then."""
    reload_preset(shape.directory, 0)
    rolled = asyncio.run(roll_out(partial(redeploy, shape, 2), _CALLERS))
    deploy(shape)
    assert rolled.account.failed == []
    assert {each.version for each in rolled.account.asked} == {0, 2}
    assert {each.version for each in rolled.account.since(rolled.done).asked} == {2}

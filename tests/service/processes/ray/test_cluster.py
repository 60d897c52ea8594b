"""Several engine replicas behind several ingresses: their clients see one server."""

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import FakeEngine, FakeStore, Gate, make_preset
from model_store.errors import ModelLoadError

if TYPE_CHECKING:
    from service.processes.ray.conftest import ServeCluster

TEXT = "the [MASK]"
BODIES = [
    {"inputs": TEXT},
    {"inputs": [f"{TEXT} sat.", "[MASK] cat [MASK]"], "top_k": 3},
    {"inputs": TEXT, "preset": "unknown"},
    {"inputs": "no mask"},
    {"inputs": "a [MASK] is [MASK]", "targets": [["cats", "no entry"], ["the cat", "dog"]]},
]


def _store() -> FakeStore:
    return FakeStore(map(make_preset, ("tiny", "other", "third")))


@pytest.mark.parametrize("body", BODIES, ids=str)
async def test_answer_is_that_of_one_process(
    serve_cluster: "ServeCluster", client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    """To the last digit, errors included."""
    async with serve_cluster(_store(), _store()) as cluster, cluster.ingress() as ingress:
        ours = await ingress.post("/fill-mask", json=body)
    theirs = await client.post("/fill-mask", json=body)
    assert (ours.status_code, ours.json()) == (theirs.status_code, theirs.json())


async def test_ingress_reads_for_more_presets_than_a_replica_holds(
    serve_cluster: "ServeCluster",
) -> None:
    """What it has opened once it does not ask for again: a call a request is left."""
    names = ("tiny", "other", "third")
    settings = {"max_loaded_presets": 1}
    async with serve_cluster(_store(), **settings) as cluster, cluster.ingress() as ingress:
        for name in names:
            await ingress.post("/fill-mask", json={"inputs": TEXT, "preset": name})
        before = len(cluster.engine.calls)
        for name in names:
            await ingress.post("/fill-mask", json={"inputs": TEXT, "preset": name})
        assert len(cluster.engine.calls) - before == len(names)


async def test_replica_that_holds_a_preset_is_asked(serve_cluster: "ServeCluster") -> None:
    """The first replica is asked for what nobody holds; the other one already holds it here."""
    first, second = _store(), _store()
    async with serve_cluster(first, second) as cluster, cluster.ingress() as ingress:
        await cluster.replicas[1]._host.models.load("other")
        await cluster.replicas[1].list_held()
        await ingress.post("/fill-mask", json={"inputs": TEXT, "preset": "other"})
        await ingress.post("/fill-mask", json={"inputs": TEXT})
    assert (first.loads, second.loads) == (["tiny"], ["other"])


async def test_large_batch_is_cut_and_its_answers_are_in_order(
    serve_cluster: "ServeCluster", client: httpx.AsyncClient
) -> None:
    """As many calls as there are parts, and one answer."""
    body = {"inputs": [f"{'the ' * n}[MASK]" for n in range(7)]}
    async with serve_cluster(_store(), max_batch_size=3) as cluster, cluster.ingress() as ingress:
        await ingress.post("/fill-mask", json={"inputs": TEXT})
        before = len(cluster.engine.calls)
        ours = await ingress.post("/fill-mask", json=body)
        assert len(cluster.engine.calls) - before == 3
    theirs = await client.post("/fill-mask", json=body)
    assert ours.json() == theirs.json()


async def test_large_batch_is_answered_whole_or_not_at_all(serve_cluster: "ServeCluster") -> None:
    """A part that is refused is the request's error, and the other parts are given up."""
    store, gate = _store(), Gate()
    store.engines["tiny"] = FakeEngine(gate)
    limits = {"max_batch_size": 2, "max_queue_size": 2}
    with gate:
        async with serve_cluster(store, **limits) as cluster, cluster.ingress() as ingress:
            body = {"inputs": [TEXT] * 8}
            refused = await ingress.post("/fill-mask", json=body)
            assert (refused.status_code, refused.json()["code"]) == (429, "overloaded")
            assert refused.headers["retry-after"]
            gate.open()
            await asyncio.gather(
                *(call.task for call in cluster.engine.calls), return_exceptions=True
            )
            assert any(call.task.cancelled() for call in cluster.engine.calls)


async def test_reload_reaches_every_replica_that_holds_the_preset(
    serve_cluster: "ServeCluster",
) -> None:
    """And no other: it would make room for what nobody asked of it."""
    stores = [_store(), _store(), _store()]
    async with serve_cluster(*stores) as cluster, cluster.ingress() as ingress:
        for replica in cluster.replicas[:2]:
            await replica._host.models.load("other")
        loaded = await ingress.post("/presets/other/load", json={"reload": True, "pin": True})
        assert (loaded.json()["state"], loaded.json()["pinned"]) == ("ready", True)
    assert [store.loads for store in stores] == [["other"] * 2, ["other"] * 2, []]


async def test_reload_of_what_is_nowhere_loads_it_somewhere(serve_cluster: "ServeCluster") -> None:
    """As in one process."""
    stores = [_store(), _store()]
    async with serve_cluster(*stores) as cluster, cluster.ingress() as ingress:
        await ingress.post("/presets/other/load", json={"reload": True})
    assert sorted(store.loads for store in stores) == [[], ["other"]]


async def test_unloaded_preset_is_nowhere(serve_cluster: "ServeCluster") -> None:
    """Its memory is to be had back on every machine."""
    async with serve_cluster(_store(), _store()) as cluster, cluster.ingress() as ingress:
        for replica in cluster.replicas:
            await replica._host.models.load("other")
        unloaded = await ingress.post("/presets/other/unload")
        assert unloaded.json()["state"] == "available"
        assert [list(replica._host.models.ready()) for replica in cluster.replicas] == [[], []]


async def test_failed_reload_is_answered_with_its_error(serve_cluster: "ServeCluster") -> None:
    """Of whichever replica."""
    first, second = _store(), _store()
    async with serve_cluster(first, second) as cluster, cluster.ingress() as ingress:
        for replica in cluster.replicas:
            await replica._host.models.load("other")
        second.errors["other"] = ModelLoadError("Broken.")
        answer = await ingress.post("/presets/other/load", json={"reload": True})
    assert (answer.status_code, answer.json()["error"]) == (500, "Broken.")


async def test_presets_are_described_before_a_replica_runs(serve_cluster: "ServeCluster") -> None:
    """Whoever asks waits for one: a broadcast to nobody has no answers."""
    async with serve_cluster(_store()) as cluster, cluster.ingress() as ingress:
        running, cluster.replicas[:] = cluster.replicas[:], []

        def run_again(_method: str, _frame: bytes) -> Any:
            cluster.replicas[:] = running
            return _Nobody()

        cluster.engine.broadcast = run_again  # type: ignore[method-assign]
        presets = (await ingress.get("/presets")).json()["presets"]
    assert [preset["name"] for preset in presets] == ["tiny", "other", "third"]


async def test_metrics_are_those_of_the_cluster_whichever_ingress_shows_them(
    serve_cluster: "ServeCluster",
) -> None:
    """What two ingresses answered, and two replicas ran."""
    async with (
        serve_cluster(_store(), _store()) as cluster,
        cluster.ingress() as one,
        cluster.ingress() as two,
    ):
        await cluster.replicas[1]._host.models.load("other")
        await cluster.replicas[1].list_held()
        await one.post("/fill-mask", json={"inputs": TEXT})
        await two.post("/fill-mask", json={"inputs": TEXT, "preset": "other"})
        for replica in cluster.replicas:
            await replica.tell_board()
        # What the other ingress saw, it tells before it shows anything.
        await one.get("/metrics")
        lines = (await two.get("/metrics")).text.splitlines()
    for line in (
        'fill_mask_requests_total{outcome="ok",preset="tiny"} 1.0',
        'fill_mask_requests_total{outcome="ok",preset="other"} 1.0',
        "fill_mask_batch_size_sum 2.0",
        "fill_mask_loaded_bytes 200.0",
        'fill_mask_preset_state{preset="other",state="ready"} 1.0',
    ):
        assert line in lines


class _Nobody:
    async def results_async(self, *, return_exceptions: bool) -> list[Any]:
        assert return_exceptions
        return []

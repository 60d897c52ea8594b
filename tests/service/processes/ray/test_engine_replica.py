"""One engine replica: what it loads, holds and tells."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from fakes import FakeEngine, FakeStore, Gate, make_preset
from model_store.errors import ModelLoadError
from service.errors.exceptions import EngineLostError
from service.processes.engine_process.frames import (
    NO_ANSWER,
    Answer,
    Check,
    Done,
    FrameDecoder,
    Load,
    Unload,
    encode_frame,
)
from service.processes.ray import engine_replica, told_metrics
from service.processes.ray.engine_replica import open_engine_replica
from service.processes.ray.told_metrics import Worked
from service.settings import Settings

if TYPE_CHECKING:
    from service.processes.ray.conftest import ServeCluster

ANSWERS: FrameDecoder[Answer] = FrameDecoder(Answer)


def _store() -> FakeStore:
    return FakeStore(map(make_preset, ("tiny", "other")))


async def test_replica_is_ready_when_what_the_settings_want_is_loaded(
    serve_cluster: "ServeCluster",
) -> None:
    """Serve sends it nothing before; one that cannot be loaded is in nobody's way."""
    store = FakeStore(map(make_preset, ("broken", "tiny", "other")))
    store.errors["broken"] = ModelLoadError("Broken.")
    pinned = ("broken", "other")
    async with serve_cluster(store, preload=True, pinned_presets=pinned) as cluster:
        assert sorted(cluster.replicas[0]._host.models.ready()) == ["other", "tiny"]
        assert {"tiny", "other"} <= cluster.lists[0].ids


async def test_list_follows_what_is_loaded_and_given_up(serve_cluster: "ServeCluster") -> None:
    """A preset by its name, and by its revision; neither when it is gone."""
    async with serve_cluster(_store()) as cluster:
        await cluster.replicas[0].answer(encode_frame(NO_ANSWER, Load("tiny")))
        name, revision = sorted(cluster.lists[0].ids)
        assert (name, revision.partition("@")[0]) == ("tiny", "tiny")
        assert len(revision) > len("tiny@")
        await cluster.replicas[0].answer(encode_frame(NO_ANSWER, Unload("tiny")))
        assert cluster.lists[0].ids == set()


async def test_preset_is_listed_while_it_is_loaded(serve_cluster: "ServeCluster") -> None:
    """So that whoever asks for it next waits for this load, and starts no other one."""
    store = _store()
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with serve_cluster(store) as cluster:
            frame = encode_frame(NO_ANSWER, Load("tiny"))
            loading = asyncio.create_task(cluster.replicas[0].answer(frame))
            await gate.reached()
            await cluster.replicas[0].list_held()
            assert cluster.lists[0].ids == {"tiny"}
            gate.open()
            assert ANSWERS.decode(await loading) == (NO_ANSWER, Done())


async def test_what_is_not_here_is_not_answered_for(serve_cluster: "ServeCluster") -> None:
    """It is not loaded for that, either."""
    store = _store()
    async with serve_cluster(store) as cluster:
        frame = encode_frame(NO_ANSWER, Load("tiny", reload=True))
        assert await cluster.replicas[0].answer_if_held(frame) is None
    assert store.loads == []


async def test_engine_that_hangs_is_not_healthy(serve_cluster: "ServeCluster") -> None:
    """Serve starts another one then."""
    store, gate = _store(), Gate()
    store.engines["tiny"] = FakeEngine(gate)
    with gate:
        async with serve_cluster(store) as cluster:
            [replica] = cluster.replicas
            await replica.check_health()
            frame = encode_frame(NO_ANSWER, Check("tiny"))
            checking = asyncio.create_task(replica.answer(frame))
            await gate.reached()
            replica._hang_timeout_s = 0.01
            with pytest.raises(TimeoutError):
                await replica.check_health()
            gate.open()
            await checking


async def test_model_that_goes_meanwhile_is_not_listed(
    serve_cluster: "ServeCluster", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its revision is not looked for."""
    async with serve_cluster(_store()) as cluster:
        [replica] = cluster.replicas
        await replica._host.models.load("tiny")
        await replica._host.models.load("other")
        open_model = replica._responder.open

        async def unload_meanwhile(model: object) -> object:
            opened = await open_model(model)  # type: ignore[arg-type]
            await replica._host.models.unload("other")
            return opened

        monkeypatch.setattr(replica._responder, "open", unload_meanwhile)
        await replica.list_held()
        assert {name.partition("@")[0] for name in cluster.lists[0].ids} == {"tiny"}


async def test_board_hears_of_news_and_of_the_end(
    serve_cluster: "ServeCluster", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is told twice; a board that is not there is told the next time."""
    monkeypatch.setattr(told_metrics, "_GATHERED_S", 0.0)
    monkeypatch.setattr(told_metrics, "BEAT_S", 0.001)
    told: asyncio.Queue[Worked] = asyncio.Queue()
    failures = [EngineLostError()]

    async def tell(worked: Worked) -> None:
        if failures:
            raise failures.pop()
        told.put_nowait(worked)

    async with (
        serve_cluster(_store()) as cluster,
        open_engine_replica(
            cluster.settings,
            _store(),
            held=cluster.lists[0],  # type: ignore[arg-type]
            name="me",
            tell=tell,
            hang_timeout_s=1.0,
        ) as replica,
    ):
        first = await told.get()  # though there is no news
        assert (first.replica, first.cache) == ("me", [])
        assert first.standing is not None
        await replica.answer(encode_frame(NO_ANSWER, Load("tiny")))
        events: list[str] = []
        while "load" not in events:
            events += [event for event, _ in (await told.get()).cache]
        assert events == ["miss", "load"]
    last = first
    while not told.empty():
        last = told.get_nowait()
    assert last.standing is None


@pytest.mark.parametrize("is_silent", [False, True])
async def test_replica_ends_though_the_board_is_gone(
    monkeypatch: pytest.MonkeyPatch,
    is_silent: bool,
) -> None:
    """Whoever ends has nobody to complain to, and does not wait for another board."""
    monkeypatch.setattr(engine_replica, "_GOODBYE_S", 0.01)

    async def tell(_: Worked) -> None:
        if is_silent:
            await asyncio.get_running_loop().create_future()
        raise EngineLostError

    held = _Unlisted()
    async with open_engine_replica(
        Settings(default_preset="tiny", preload=False),
        _store(),
        held=held,  # type: ignore[arg-type]
        name="me",
        tell=tell,
        hang_timeout_s=1.0,
    ):
        pass
    assert held.ids == [[]]


class _Unlisted:
    def __init__(self) -> None:
        self.ids: list[list[str]] = []

    async def set(self, model_ids: list[str]) -> None:
        self.ids.append(model_ids)

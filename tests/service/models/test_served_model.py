"""A loaded model and the queue in front of it."""

import asyncio
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest

from fakes import FakeEngine, FakeStore, Gate, make_model, settle
from model_store.engines.batches.batch import Batch, Scores
from model_store.errors import ModelLoadError, PresetNotFoundError
from model_store.text.encoding import Encoding, TextLimits
from service.errors.exceptions import ShuttingDownError
from service.models.served_model import ServedModel, ServedModelLoader
from service.scheduling.batch_records import BatchLimits, BatchRecord
from service.settings import Settings
from service.telemetry.logs import configure_logs

LIMITS = BatchLimits(4, 1000, 10)


@pytest.fixture
def engine_thread() -> Iterator[Executor]:
    """Return the one thread that owns the engines."""
    with ThreadPoolExecutor(1, "engine") as executor:
        yield executor


@pytest.fixture
async def make_served(engine_thread: Executor) -> AsyncIterator[Any]:
    """Return what puts a queue in front of an engine; all are closed at the end."""
    made: list[ServedModel] = []

    def make(engine: FakeEngine, observe: Any = lambda _: None) -> ServedModel:
        made.append(ServedModel(make_model(engine), engine_thread, LIMITS, observe))
        return made[-1]

    yield make
    for served in made:
        await served._batcher.close()


def encode(text: str = "the [MASK]") -> Encoding:
    """Return an encoding of a text."""
    return make_model().encode(text, top_k=1, targets=None, limits=TextLimits())


async def test_texts_are_scored_in_order(make_served: Any) -> None:
    """Every text has as many scores as masks."""
    served = make_served(FakeEngine())
    scores = await served.predict([encode("[MASK]"), encode("[MASK] [MASK]")])
    assert [len(masks) for masks in scores] == [1, 2]


async def test_engine_runs_in_its_own_thread(make_served: Any) -> None:
    """The event loop stays free, and no two batches meet."""
    engine = FakeEngine()
    await make_served(engine).predict([encode()])
    assert engine.threads == {"engine_0"}
    assert threading.current_thread().name not in engine.threads


async def test_texts_that_wait_are_counted(make_served: Any) -> None:
    """What runs no longer waits; what came meanwhile does."""
    with Gate() as gate:
        served = make_served(FakeEngine(gate))
        callers = [asyncio.create_task(served.predict([encode()]))]
        await gate.reached()
        callers.append(asyncio.create_task(served.predict([encode(), encode()])))
        await asyncio.sleep(0)
        assert served.queue_size == 2
    await asyncio.gather(*callers)


async def test_padding_is_counted_as_the_model_pads(make_served: Any) -> None:
    """The model knows its shapes; the batcher is told."""
    records: list[BatchRecord] = []
    served = make_served(FakeEngine(), records.append)
    await served.predict([encode()] * 3)
    await served._batcher.close()
    assert [(record.tokens, record.computed_tokens) for record in records] == [(12, 16)]


async def test_size_is_that_of_the_weights(make_served: Any) -> None:
    """What a cache counts is what the model takes."""
    assert make_served(FakeEngine()).nbytes == 100


async def test_closing_answers_what_waits(make_served: Any) -> None:
    """Who is in line is served."""
    with Gate() as gate:
        served = make_served(FakeEngine(gate))
        caller = asyncio.create_task(served.predict([encode()]))
        await gate.reached()
        closing = asyncio.create_task(served.close())
        gate.open()
        await closing
    assert len(await caller) == 1


async def test_closed_model_takes_nothing_new(make_served: Any) -> None:
    """Who comes late is told."""
    served = make_served(FakeEngine())
    await served.close()
    with pytest.raises(ShuttingDownError):
        await served.predict([encode()])


async def test_closing_gives_the_memory_back(make_served: Any) -> None:
    """The engine is gone when closing returns, not some time later."""
    engine = FakeEngine()
    engine.itself = engine  # models are full of reference cycles
    is_gone = weakref.ref(engine)
    served = make_served(engine)
    await served.predict([encode()])
    del engine
    await served.close()
    assert is_gone() is None


@pytest.fixture
def loader(store: FakeStore, engine_thread: Executor) -> Iterator[ServedModelLoader]:
    """Return a loader of models of a hundred bytes at most."""
    with ThreadPoolExecutor(1, "loader") as loader_thread:
        yield ServedModelLoader(
            store,
            engine_thread=engine_thread,
            loader_thread=loader_thread,
            limits=lambda _: LIMITS,
            max_bytes=100,
            observe=lambda _: None,
        )


async def test_loaded_model_answers(loader: ServedModelLoader) -> None:
    """What the loader returns is ready."""
    served = await loader.load("tiny")
    assert len(await served.predict([encode()])) == 1
    await served.close()


async def test_load_leaves_the_event_loop_free(loader: ServedModelLoader, store: FakeStore) -> None:
    """The event loop answers others while a model is loaded."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        loading = asyncio.create_task(loader.load("tiny"))
        await gate.reached()
        assert not loading.done()
    await (await loading).close()


async def test_error_of_a_load_is_that_of_the_store(loader: ServedModelLoader) -> None:
    """The store knows best what is wrong."""
    with pytest.raises(PresetNotFoundError):
        await loader.load("nobody")


async def test_model_above_the_memory_limit_is_refused(
    loader: ServedModelLoader, store: FakeStore
) -> None:
    """A model that would break the limit alone is no model that can be served."""
    store.sizes["tiny"] = 101
    with pytest.raises(ModelLoadError, match="FILLMASK_MAX_LOADED_BYTES"):
        await loader.load("tiny")


async def test_batch_that_fails_is_logged_with_all_its_requests(
    store: FakeStore, serve: Any, read_log: Any
) -> None:
    """And not with the id of whichever came last."""
    configure_logs(Settings())

    def fail(_batch: Batch, _k: int) -> Scores:
        raise RuntimeError

    store.engines["tiny"] = FakeEngine()
    async with serve(store) as client:
        await client.get("/readyz")
        read_log()
        with Gate() as gate:
            engine, body = store.engines["tiny"], {"inputs": "[MASK]"}
            engine.gate, engine.answer = gate, fail
            posts = [
                asyncio.create_task(
                    client.post("/fill-mask", json=body, headers={"x-request-id": name})
                )
                for name in ("one", "two", "three")
            ]
            await gate.reached()
            await settle()
            gate.open()
            await asyncio.gather(*posts)
    batches = [e["request_ids"] for e in read_log() if e["event"] == "engine_failed"]
    assert sorted(name for batch in batches for name in batch) == ["one", "three", "two"]
    assert max(map(len, batches)) > 1

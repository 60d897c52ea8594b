"""HTTP workers in front of an engine process: their clients see no difference."""

import asyncio
import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import VOCABULARY, FakeEngine, FakeStore, Gate, make_model, make_preset
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.engines.fill_mask import FillMaskModel
from model_store.errors import HeadMissingError, ModelLoadError
from model_store.loading.load_news import Report
from service.processes.engine_process import remote
from service.settings import Settings
from service.telemetry.logs import configure_logs

if TYPE_CHECKING:
    from service.processes.engine_process.conftest import Engine, ServeRemote

TEXT = "the [MASK]"
BODIES = [
    {"inputs": TEXT},
    {"inputs": [f"{TEXT} sat.", "[MASK] cat [MASK]"], "top_k": 3},
    {"inputs": [TEXT, TEXT], "targets": [["cat", "paris"], ["dog"]]},
    {"inputs": TEXT, "preset": "other"},
    {"inputs": TEXT, "preset": "unknown"},
    {"inputs": "no mask"},
    {"inputs": [TEXT, "  "]},
    {"inputs": "a [MASK] is [MASK]", "targets": [["cats", "no entry"], ["the cat", "dog"]]},
    {"inputs": TEXT, "filter": {"whole_words": True, "exclude": ["paris"], "min_score": 0.01}},
    {"inputs": [TEXT, {"text": TEXT, "text_pair": "the [MASK] sat"}]},
    {"inputs": 1},
]


@pytest.mark.parametrize("body", BODIES, ids=str)
async def test_answer_is_that_of_one_process(
    worker: httpx.AsyncClient, client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    """To the last digit, errors included."""
    ours = await worker.post("/fill-mask", json=body)
    theirs = await client.post("/fill-mask", json=body)
    assert (ours.status_code, ours.json()) == (theirs.status_code, theirs.json())


async def test_vector_is_that_of_one_process(
    worker: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    """All that is above zero crosses, and is not rounded."""
    body = {"inputs": ["the cat", "paris"], "token_str": True}
    ours = await worker.post("/embed-sparse", json=body)
    theirs = await client.post("/embed-sparse", json=body)
    assert ours.json() == theirs.json()
    assert [len(values) for values in ours.json()] == [2, 2]


async def test_presets_are_those_of_the_engine(worker: httpx.AsyncClient) -> None:
    """Their states are known where they are loaded."""
    await worker.post("/fill-mask", json={"inputs": TEXT})
    presets = (await worker.get("/presets")).json()["presets"]
    assert [(p["name"], p["state"], p["engine"]) for p in presets] == [
        ("tiny", "ready", "fake"),
        ("other", "available", None),
        ("third", "available", None),
    ]


async def test_every_worker_sees_what_all_of_them_counted(
    worker: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count is the engine's, and what this worker saw is told before it asks."""
    monkeypatch.setattr(remote, "_GATHERED_S", 3600)
    await worker.post("/fill-mask", json={"inputs": TEXT})
    [model] = (await worker.get("/v2/models/tiny/stats")).json()["model_stats"]
    assert model["inference_stats"]["success"]["count"] == 1
    assert model["inference_count"] == 1


@pytest.mark.parametrize("error", [HeadMissingError("No head."), ModelLoadError("Broken.")])
async def test_failed_load_is_answered_with_its_error(
    worker: httpx.AsyncClient, client: httpx.AsyncClient, store: FakeStore, error: Exception
) -> None:
    """Status, code and sentence are those of one process."""
    store.errors["tiny"] = error
    ours = await worker.post("/fill-mask", json={"inputs": TEXT})
    theirs = await client.post("/fill-mask", json={"inputs": TEXT})
    assert (ours.status_code, ours.json()) == (theirs.status_code, theirs.json())


async def test_failed_load_is_retried_by_the_next_request(
    worker: httpx.AsyncClient, store: FakeStore
) -> None:
    """A worker remembers no failure."""
    store.errors["tiny"] = ModelLoadError("broken")
    first = await worker.post("/fill-mask", json={"inputs": TEXT})
    del store.errors["tiny"]
    second = await worker.post("/fill-mask", json={"inputs": TEXT})
    assert (first.status_code, second.status_code) == (500, 200)


async def test_unforeseen_error_is_internal_and_logged_where_it_was_raised(
    worker: httpx.AsyncClient, store: FakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Its message does not cross the socket, and the traceback is not lost."""
    store.errors["tiny"] = RuntimeError("a secret")
    with caplog.at_level(logging.ERROR):
        response = await worker.post("/fill-mask", json={"inputs": TEXT})
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    [record] = [r for r in caplog.records if r.name == "service.telemetry.preset_log"]
    assert record.exc_info
    assert str(record.exc_info[1]) == "a secret"
    assert not [r for r in caplog.records if r.name == "service.processes.engine_process.server"]


async def test_unforeseen_error_of_a_call_is_logged_where_it_was_raised(
    worker: httpx.AsyncClient,
    store: FakeStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of any call that is no load."""
    monkeypatch.setattr(store, "presets", lambda: 1 // 0)
    with caplog.at_level(logging.ERROR):
        response = await worker.get("/presets")
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    [record] = [r for r in caplog.records if r.name == "service.processes.engine_process.responder"]
    assert (record.message, record.exc_info and record.exc_info[0]) == (
        "call_failed",
        ZeroDivisionError,
    )


def fail(_batch: Any, _k: int) -> Any:
    """Fail as an engine does."""
    raise RuntimeError


async def test_events_of_the_engine_bear_the_ids_of_the_request(
    worker: httpx.AsyncClient, store: FakeStore, read_log: Any
) -> None:
    """Of a load, and of a batch that fails, for whoever looks for what became of a request."""
    configure_logs(Settings())
    store.engines["tiny"] = FakeEngine(answer=fail)
    headers = {"x-request-id": "mine", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    await worker.post("/fill-mask", json={"inputs": TEXT}, headers=headers)
    events = {event["event"]: event for event in read_log()}
    for name in ("preset_loaded", "request_failed"):
        assert (events[name]["request_id"], events[name]["trace_id"]) == ("mine", "a" * 32)
    assert events["engine_failed"]["request_ids"] == ["mine"]
    assert "request_id" not in events["engine_failed"]


async def test_workers_share_one_model(
    engine: "Engine", store: FakeStore, serve_remote: "ServeRemote"
) -> None:
    """One load serves all, and their texts run together."""
    with Gate() as gate:
        fake = store.engines["tiny"] = FakeEngine(gate)
        async with serve_remote(engine) as one, serve_remote(engine) as two:
            first = asyncio.create_task(one.post("/fill-mask", json={"inputs": TEXT}))
            await gate.reached()
            others = [
                asyncio.create_task(worker.post("/fill-mask", json={"inputs": TEXT}))
                for worker in (one, two)
            ]
            await wait_for_queue(engine, 2)
            gate.open()
            await asyncio.gather(first, *others)
    assert store.loads == ["tiny"]
    assert fake.batch_sizes == [1, 2]


async def test_request_that_ran_out_of_time_is_not_computed(
    engine: "Engine", store: FakeStore, serve_remote: "ServeRemote"
) -> None:
    """Giving up here gives up there."""
    with Gate() as gate:
        fake = store.engines["tiny"] = FakeEngine(gate)
        async with (
            serve_remote(engine) as patient,
            serve_remote(engine, request_timeout_s=0.2) as hasty,
        ):
            first = asyncio.create_task(patient.post("/fill-mask", json={"inputs": TEXT}))
            await gate.reached()
            response = await hasty.post("/fill-mask", json={"inputs": [TEXT, TEXT]})
            await wait_for_queue(engine, 0)
            last = asyncio.create_task(patient.post("/fill-mask", json={"inputs": TEXT}))
            await wait_for_queue(engine, 1)
            gate.open()
            await asyncio.gather(first, last)
    assert response.status_code == 504
    assert fake.batch_sizes == [1, 1]


async def test_texts_of_a_worker_that_is_gone_are_not_computed(
    engine: "Engine", store: FakeStore, serve_remote: "ServeRemote"
) -> None:
    """A worker that was killed cancels nothing; its connection ends, and that is enough."""
    with Gate() as gate:
        fake = store.engines["tiny"] = FakeEngine(gate)
        async with serve_remote(engine) as staying:
            first = asyncio.create_task(staying.post("/fill-mask", json={"inputs": TEXT}))
            await gate.reached()
            async with serve_remote(engine) as leaving:
                left = asyncio.create_task(leaving.post("/fill-mask", json={"inputs": [TEXT] * 2}))
                await wait_for_queue(engine, 2)
                app: Any = leaving._transport.app  # type: ignore[attr-defined]
                await app.state.metrics._client.close()
                assert (await left).json()["code"] == "engine_lost"
            await wait_for_queue(engine, 0)
            last = asyncio.create_task(staying.post("/fill-mask", json={"inputs": TEXT}))
            await wait_for_queue(engine, 1)
            gate.open()
            await asyncio.gather(first, last)
    assert fake.batch_sizes == [1, 1]


async def test_lost_engine_is_an_error_and_the_next_one_answers(
    engine: "Engine", store: FakeStore, worker: httpx.AsyncClient
) -> None:
    """Whoever waited is told; whoever comes while it starts anew waits for it."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        waiting = asyncio.create_task(worker.post("/fill-mask", json={"inputs": TEXT}))
        await gate.reached()
        await engine.hang_up()
        lost = await waiting
    early = asyncio.create_task(worker.post("/fill-mask", json={"inputs": TEXT}))
    await asyncio.sleep(0)
    await engine.start()
    assert (lost.status_code, lost.json()["code"]) == (502, "engine_lost")
    assert (await early).status_code == 200


async def test_worker_is_ready_when_the_engine_is(
    worker: httpx.AsyncClient, store: FakeStore
) -> None:
    """The engine itself is asked."""
    fake = store.engines["tiny"] = FakeEngine()
    assert (await worker.get("/readyz")).status_code == 200
    assert fake.batch_sizes == [1]


async def test_engine_that_does_not_answer_is_not_ready(
    silent_engine: "Engine", serve_remote: "ServeRemote"
) -> None:
    """No route waits for ever for a process that does not come."""
    async with serve_remote(silent_engine, request_timeout_s=0.1, ready_timeout_s=0.1) as worker:
        routes = ("/readyz", "/presets", "/metrics")
        answers = [(await worker.get(route)).status_code for route in routes]
    assert answers == [504, 504, 504]


async def test_engine_that_nobody_will_start_is_an_error(
    silent_engine: "Engine", serve_remote: "ServeRemote"
) -> None:
    """Without a listening socket there is nothing to wait for."""
    silent_engine.listener.close()
    async with serve_remote(silent_engine) as worker:
        await worker.post("/fill-mask", json={"inputs": TEXT, "preset": "unknown"})
        await asyncio.sleep(0.1)  # what was counted is told, and that fails, and nothing happens
        assert (await worker.get("/metrics")).json()["code"] == "engine_lost"


async def test_every_worker_shows_the_counts_of_all(
    engine: "Engine", serve_remote: "ServeRemote"
) -> None:
    """Whichever is asked; a worker that has ended takes no count with it."""
    async with serve_remote(engine) as one:
        async with serve_remote(engine) as two:
            for worker in (one, two):
                await worker.post("/fill-mask", json={"inputs": TEXT})
                await worker.post("/fill-mask", json={"inputs": 1})
            await two.get("/metrics")
        shown = (await one.get("/metrics")).text.splitlines()
    assert 'fill_mask_requests_total{outcome="ok",preset="tiny"} 2.0' in shown
    assert 'fill_mask_requests_total{outcome="invalid_request",preset="unknown"} 2.0' in shown
    assert "fill_mask_tokenization_duration_seconds_count 2.0" in shown
    assert "fill_mask_batch_size_sum 2.0" in shown


async def test_counts_are_told_without_being_asked_for(
    engine: "Engine", serve_remote: "ServeRemote"
) -> None:
    """Else the worker that is not asked would be missing."""
    async with serve_remote(engine) as one, serve_remote(engine) as two:
        await one.post("/fill-mask", json={"inputs": TEXT})
        while 'requests_total{outcome="ok"' not in (await two.get("/metrics")).text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_text_is_tokenized_for_the_model_that_scores_it(
    engine: "Engine", store: FakeStore, worker: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preset whose files were replaced is read with its new vocabulary, unseen by the caller."""
    before = await worker.post("/fill-mask", json={"inputs": TEXT, "top_k": 1})
    await evict_all(engine)
    replace_vocabulary(store, monkeypatch)
    bodies = [worker.post("/fill-mask", json={"inputs": TEXT, "top_k": 1}) for _ in range(3)]
    after = await asyncio.gather(*bodies)
    assert read_tokens(before) == ["paris"]
    assert [read_tokens(answer) for answer in after] == [["rome"]] * 3


async def test_evicted_model_of_the_same_files_needs_no_new_codec(
    engine: "Engine", store: FakeStore, worker: httpx.AsyncClient
) -> None:
    """Its revision is that of its content."""
    await worker.post("/fill-mask", json={"inputs": TEXT})
    await evict_all(engine)
    app: Any = worker._transport.app  # type: ignore[attr-defined]
    ready = app.state.pipeline._models._models.ready
    before = ready()
    assert (await worker.post("/fill-mask", json={"inputs": TEXT})).status_code == 200
    assert store.loads == ["tiny", "tiny"]
    assert ready() == before


CALLS: list[list[tuple[str, Any]]] = [
    [("tiny/load", None)],
    [("tiny/load", {"pin": True}), ("tiny/load", {}), ("tiny/load", {"pin": False})],
    [("tiny/load", {"pin": True}), ("tiny/load", {"reload": True}), ("tiny/unload", None)],
    [("tiny/unload", None)],
    [("unknown/load", None)],
    [("unknown/unload", None)],
    [("broken/load", {"reload": True, "pin": True})],
    [("tiny/load", {"path": "/etc"})],
]


@pytest.mark.parametrize("calls", CALLS, ids=str)
async def test_presets_are_loaded_and_unloaded_as_in_one_process(
    worker: httpx.AsyncClient,
    client: httpx.AsyncClient,
    store: FakeStore,
    calls: list[tuple[str, Any]],
) -> None:
    """Every answer on the way is the same."""
    store._listed.append(make_preset("broken"))
    store.errors["broken"] = ModelLoadError("Broken.")
    for route, body in calls:
        ours = await worker.post(f"/presets/{route}", json=body)
        theirs = await client.post(f"/presets/{route}", json=body)
        assert (ours.status_code, ours.json()) == (theirs.status_code, theirs.json())


async def test_unloaded_preset_is_unloaded_in_the_engine_and_its_codec_here(
    engine: "Engine", worker: httpx.AsyncClient
) -> None:
    """Nothing of it is left."""
    await worker.post("/fill-mask", json={"inputs": TEXT})
    assert (await worker.post("/presets/tiny/unload")).json()["state"] == "available"
    assert "tiny" not in engine.host.models
    assert "tiny" not in models_of(worker)


async def test_reloaded_preset_is_read_with_its_new_vocabulary(
    engine: "Engine",
    store: FakeStore,
    serve_remote: "ServeRemote",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the worker that was asked to reload, and by those that did not hear of it."""
    async with serve_remote(engine) as asked, serve_remote(engine) as other:
        for worker in (asked, other):
            await worker.post("/fill-mask", json={"inputs": TEXT})
        replace_vocabulary(store, monkeypatch)
        answer = await asked.post("/presets/tiny/load", json={"reload": True})
        answers = [await w.post("/fill-mask", json={"inputs": TEXT}) for w in (asked, other)]
    assert answer.status_code == 200
    assert [read_tokens(answer) for answer in answers] == [["rome"], ["rome"]]


async def test_load_that_takes_too_long_goes_on(
    engine: "Engine", store: FakeStore, serve_remote: "ServeRemote"
) -> None:
    """The engine does not stop when the worker stops waiting."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with serve_remote(engine, request_timeout_s=0.2) as hasty:
            loading = asyncio.create_task(hasty.post("/presets/tiny/load", json={"pin": True}))
            await gate.reached()
            answer = await loading
            gate.open()
            await engine.host.models.load("tiny")
    assert (answer.status_code, answer.json()["code"]) == (504, "timeout")
    assert store.loads == ["tiny"]
    assert engine.host.models.pinned() == {"tiny"}


def models_of(worker: httpx.AsyncClient) -> Any:
    """Return the models as a worker knows them."""
    return worker._transport.app.state.pipeline._models  # type: ignore[attr-defined]


def replace_vocabulary(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let later loads find another word first in the vocabulary."""
    replaced = build_word_piece(("rome", *VOCABULARY[1:]))

    def load(_: str, __: Report) -> FillMaskModel:
        model = make_model()
        return FillMaskModel(model._engine, replaced, model.facts)

    monkeypatch.setattr(store, "load", load)


def test_worker_never_imports_a_runtime() -> None:
    """Nor what only a runtime needs: workers are many, and are to be small."""
    code = (
        "import sys, service.processes.supervisor;"
        "print(sorted({'keras', 'tensorflow', 'jax', 'torch', 'openvino'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert result.stdout.strip() == "[]"


async def wait_for_queue(engine: "Engine", size: int) -> None:
    """Wait until so many texts stand in the queue of the one model."""
    [model] = engine.host.models.ready().values()
    while model.queue_size != size:  # noqa: ASYNC110  # no event, and no time: turns of the loop
        await asyncio.sleep(0)


async def evict_all(engine: "Engine") -> None:
    """Give every model up, as for others."""
    for name, model in engine.host.models.ready().items():
        await engine.host.models.discard(name, model)


def read_tokens(response: httpx.Response) -> list[str]:
    """Return the first candidate for every mask of the one text."""
    masks = response.json()["results"][0]["masks"]
    return [mask["predictions"][0]["token_str"] for mask in masks]

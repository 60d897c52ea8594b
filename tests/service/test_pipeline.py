"""The whole request, from text to answer, without HTTP."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fakes import VOCABULARY, FakeEngine, FakeStore, Gate, make_model, score_by_id
from model_store.engines.batches.batch import Batch, Scores
from model_store.engines.fill_mask import FillMaskModel
from model_store.errors import (
    MaskNotFoundError,
    PresetNotFoundError,
    RequestLimitError,
    TargetsMismatchError,
    UnknownTargetError,
)
from model_store.tasks import Task, TaskLimits
from model_store.tasks.fill import FillRequest
from model_store.text.encoding import Encoding, TextLimits
from model_store.text.text_codec import TextCodec
from service.errors.exceptions import (
    CallerTimeoutError,
    DeadlineExceededError,
    ShuttingDownError,
)
from service.models.model_cache import ModelCache
from service.models.preset_choice import PresetChoice
from service.models.served_model import ServedModel, ServedModelLoader
from service.pipeline import Pipeline, RequestLimits, RequestRecord
from service.scheduling.batch_records import BatchLimits

TEXT = "the [MASK]"


@dataclass
class Observer:
    """Who remembers what it hears."""

    requests: list[RequestRecord] = field(default_factory=list)
    tokenizations: list[float] = field(default_factory=list)

    def observe_request(self, record: RequestRecord) -> None:
        """Remember a request."""
        self.requests.append(record)

    def observe_tokenization(self, seconds: float) -> None:
        """Remember a tokenization."""
        self.tokenizations.append(seconds)


@asynccontextmanager
async def running(
    store: FakeStore,
    observer: Observer | None = None,
    *,
    timeout_s: float = 60.0,
    ready_timeout_s: float = 60.0,
    **limits: Any,
) -> AsyncIterator[Pipeline]:
    """Give a pipeline with every part real but the store and the engine."""
    defaults = {
        "max_inputs": 4,
        "max_top_k": 10,
        "max_targets": 3,
        "max_predictions": 20,
        "text": TextLimits(10_000, 4),
    }
    with ThreadPoolExecutor(1, "engine") as engine_thread, ThreadPoolExecutor(1) as loader_thread:
        loader = ServedModelLoader(
            store,
            engine_thread=engine_thread,
            loader_thread=loader_thread,
            limits=lambda _: BatchLimits(4, 1000, 4),
            max_bytes=1000,
            observe=lambda _: None,
        )
        models: ModelCache[ServedModel] = ModelCache(loader.load, max_models=2, max_bytes=1000)
        try:
            task_limits = TaskLimits(**defaults | limits)
            all_limits = RequestLimits(task_limits, timeout_s, ready_timeout_s)
            choice = PresetChoice(store, configured=())
            yield Pipeline(choice, models, all_limits, observer or Observer())
        finally:
            await models.close()


def ask(*inputs: str, top_k: int = 2, targets: Any = None) -> FillRequest:
    """Return a request."""
    return FillRequest(inputs or (TEXT,), top_k, targets)


async def test_inputs_are_answered_in_order(store: FakeStore) -> None:
    """One filled text an input."""
    async with running(store) as pipeline:
        filled = await pipeline.run("tiny", ask("the [MASK]", "the cat [MASK]"))
    assert [text.encoding.text for text in filled.answer] == ["the [MASK]", "the cat [MASK]"]


@dataclass(frozen=True)
class ChainRequest:
    """So many rounds, one after another, of one text."""

    rounds: int
    name = "chain"
    characters = len(TEXT)

    def check(self, limits: TaskLimits) -> None:
        """Refuse nothing."""

    def start(self, codec: TextCodec, limits: TaskLimits) -> Task[list[int]]:
        """Return the first prediction of each round."""
        found: list[int] = []
        for _ in range(self.rounds):
            # Each round asks about what the one before it found.
            targets = [VOCABULARY[found[-1]]] if found else None
            encoding = codec.encode(TEXT, top_k=1, targets=targets, limits=limits.text)
            [[mask]] = yield [encoding]
            found.append(int(mask.token_ids[0]))
        return found


@pytest.mark.parametrize("rounds", [0, 1, 3])
async def test_task_takes_one_trip_a_round(store: FakeStore, rounds: int) -> None:
    """What it was sent, it may ask about; what asks for nothing needs no engine."""
    engine = store.engines["tiny"] = FakeEngine()
    observer = Observer()
    async with running(store, observer) as pipeline:
        answered = await pipeline.run("tiny", ChainRequest(rounds))
    assert answered.answer == [0] * rounds
    assert answered.timings.rows == rounds
    assert engine.batch_sizes == [1] * rounds
    assert [record.task for record in observer.requests] == ["chain"]


async def test_rounds_share_one_deadline(store: FakeStore) -> None:
    """A task of many rounds has no more time than one of few."""

    def answer_slowly(batch: Batch, k: int) -> Scores:
        time.sleep(0.1)  # so each would be done in time, and not all
        return score_by_id(batch, k)

    store.engines["tiny"] = FakeEngine(answer=answer_slowly)
    async with running(store, timeout_s=0.2) as pipeline:
        with pytest.raises(DeadlineExceededError):
            await pipeline.run("tiny", ChainRequest(3))


async def test_inputs_that_are_tokenized_in_a_thread_are_answered(store: FakeStore) -> None:
    """Long texts leave the event loop free; the answer is the same."""
    text = " " * 5000 + TEXT
    async with running(store) as pipeline:
        filled = await pipeline.run("tiny", ask(text))
    assert [p.token_str for p in filled.answer[0].predictions[0]] == ["paris", "london"]


@pytest.mark.parametrize(("length", "is_inline"), [(4096, True), (4097, False)])
async def test_long_texts_are_tokenized_off_the_event_loop(
    store: FakeStore, monkeypatch: pytest.MonkeyPatch, length: int, *, is_inline: bool
) -> None:
    """The event loop is never held for longer than a thread would cost."""
    threads: list[int] = []
    encode = FillMaskModel.encode

    def remember(model: FillMaskModel, text: str, **options: Any) -> Encoding:
        threads.append(threading.get_ident())
        return encode(model, text, **options)

    monkeypatch.setattr(FillMaskModel, "encode", remember)
    async with running(store) as pipeline:
        await pipeline.run("tiny", ask(TEXT.rjust(length)))
    assert [thread == threading.get_ident() for thread in threads] == [is_inline]


async def test_unknown_preset_is_never_loaded(store: FakeStore) -> None:
    """A name that nobody listed gets no place in the line for a load."""
    async with running(store) as pipeline:
        with pytest.raises(PresetNotFoundError):
            await pipeline.run("nobody", ask())
    assert store.loads == []


async def test_preset_that_is_here_is_not_looked_up(
    store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request reads no directory."""
    async with running(store) as pipeline:
        await pipeline.run("tiny", ask())
        monkeypatch.setattr(store, "find", None)
        assert await pipeline.run("tiny", ask())


@pytest.mark.parametrize(
    "request_",
    [
        ask(*[TEXT] * 5),
        ask(top_k=11),
        ask(targets=[["cat", "dog", "sat", "the"]]),
        ask(TEXT, TEXT, TEXT, top_k=7),
        ask("[MASK] [MASK] [MASK]", top_k=7),
    ],
    ids=["inputs", "top_k", "targets", "predictions of inputs", "predictions of masks"],
)
async def test_request_above_a_limit_is_refused(store: FakeStore, request_: FillRequest) -> None:
    """Each limit holds."""
    async with running(store) as pipeline:
        with pytest.raises(RequestLimitError):
            await pipeline.run("tiny", request_)


@pytest.mark.parametrize(
    "request_",
    [
        ask(*[TEXT] * 4),
        ask(top_k=10),
        ask(targets=[["cat", "dog", "sat"]]),
        ask(TEXT, TEXT, top_k=10),
    ],
    ids=["inputs", "top_k", "targets", "predictions"],
)
async def test_request_at_a_limit_is_answered(store: FakeStore, request_: FillRequest) -> None:
    """A limit is the most that is allowed."""
    async with running(store) as pipeline:
        assert len((await pipeline.run("tiny", request_)).answer) == len(request_.inputs)


@pytest.mark.parametrize("request_", [ask(*[TEXT] * 5), ask(top_k=11)])
async def test_request_above_a_limit_loads_nothing(store: FakeStore, request_: FillRequest) -> None:
    """What will be refused costs no load."""
    async with running(store) as pipeline:
        with pytest.raises(RequestLimitError):
            await pipeline.run("tiny", request_)
    assert store.loads == []


@pytest.mark.parametrize("targets", [[], [["cat"]], [["cat"], ["dog"], ["sat"]]])
async def test_targets_that_fit_no_inputs_are_refused(
    store: FakeStore, targets: Sequence[Sequence[str]]
) -> None:
    """There is one list of targets for each input."""
    async with running(store) as pipeline:
        with pytest.raises(TargetsMismatchError):
            await pipeline.run("tiny", ask(TEXT, TEXT, targets=targets))


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (ask(TEXT, "no mask"), MaskNotFoundError),
        (ask(TEXT, TEXT, targets=[["cat"], ["zebra"]]), UnknownTargetError),
    ],
)
async def test_error_names_the_input_at_fault(
    store: FakeStore, request_: FillRequest, error: type[MaskNotFoundError | UnknownTargetError]
) -> None:
    """The index is that of the request."""
    async with running(store) as pipeline:
        with pytest.raises(error) as raised:
            await pipeline.run("tiny", request_)
    assert raised.value.input == 1


async def test_request_that_never_fits_the_queue_is_refused(store: FakeStore) -> None:
    """It is not the caller's to retry, though it asks for no more than a request may."""
    async with running(store, max_inputs=5) as pipeline:
        with pytest.raises(RequestLimitError, match="5 texts at once and the limit is 4"):
            await pipeline.run("tiny", ask(*[TEXT] * 5))


async def test_load_above_the_deadline_is_given_up(store: FakeStore) -> None:
    """A caller is answered in time, whatever a first load takes."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with running(store, timeout_s=1e-9) as pipeline:
            with pytest.raises(DeadlineExceededError):
                await pipeline.run("tiny", ask())
            gate.open()


async def test_probe_above_the_deadline_is_given_up(store: FakeStore) -> None:
    """A probe is answered in time too."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with running(store, ready_timeout_s=1e-9) as pipeline:
            with pytest.raises(DeadlineExceededError):
                await pipeline.check("tiny")
            gate.open()


async def test_timeout_inside_a_load_is_no_deadline(store: FakeStore) -> None:
    """An error from within keeps its name."""
    store.errors["tiny"] = TimeoutError("inside")
    async with running(store) as pipeline:
        with pytest.raises(TimeoutError, match="inside"):
            await pipeline.run("tiny", ask())


@pytest.mark.parametrize(
    ("asked", "given", "error"),
    [
        (1e-9, "1e-09", CallerTimeoutError),
        (0.05, "0.05", DeadlineExceededError),
        (100.0, "0.05", DeadlineExceededError),
        (None, "0.05", DeadlineExceededError),
    ],
)
async def test_caller_may_wait_for_less_than_the_server_allows(
    store: FakeStore, asked: float | None, given: str, error: type[Exception]
) -> None:
    """The shorter of both times holds and is named; who is in a hurry is counted apart."""
    observer = Observer()
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with running(store, observer, timeout_s=0.05) as pipeline:
            with pytest.raises(error, match=f" {given} seconds"):
                await pipeline.run("tiny", ask(), asked)
            gate.open()
    assert [type(record.error) for record in observer.requests] == [error]


async def test_pipeline_that_closes_refuses_new_work(store: FakeStore) -> None:
    """Requests and probes alike; who was let in is answered."""
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        async with running(store) as pipeline:
            accepted = asyncio.create_task(pipeline.run("tiny", ask()))
            await gate.reached()
            pipeline.close()
            for refused in (pipeline.run("tiny", ask()), pipeline.check("tiny")):
                with pytest.raises(ShuttingDownError):
                    await refused
            gate.open()
            assert len((await accepted).answer) == 1


async def test_stages_of_a_request_are_timed(store: FakeStore) -> None:
    """All three of them took some time."""
    async with running(store) as pipeline:
        timings = (await pipeline.run("tiny", ask())).timings
    assert timings.tokenization > 0
    assert timings.queue >= 0
    assert timings.inference > 0


async def test_engine_that_is_stuck_is_found_by_every_probe(store: FakeStore) -> None:
    """And they leave no more than one text before it, however many ask."""
    engine = store.engines["tiny"] = FakeEngine()
    async with running(store) as pipeline:
        patient = pipeline._limits
        await pipeline.check("tiny")
        with Gate() as gate:
            engine.gate = gate
            pipeline._limits = replace(patient, ready_timeout_s=0.05)
            for _ in range(3):
                with pytest.raises(DeadlineExceededError):
                    await pipeline.check("tiny")
            pipeline._limits = patient
            gate.open()
        await pipeline.check("tiny")
    assert len(engine.batch_sizes) <= 3


async def test_caller_that_leaves_gives_its_lease_back(store: FakeStore) -> None:
    """Nobody's model is kept for a caller that left."""
    with Gate() as gate:
        engine = store.engines["tiny"] = FakeEngine(gate)
        async with running(store) as pipeline:
            caller = asyncio.create_task(pipeline.run("tiny", ask()))
            await gate.reached()
            caller.cancel()
            await asyncio.wait([caller])
            assert pipeline._models._entries["tiny"].leases == 0
            gate.open()
    assert engine.batch_sizes == [1]


async def test_check_fills_a_mask(store: FakeStore) -> None:
    """A preset is proven by its engine, not by its files."""
    engine = store.engines["tiny"] = FakeEngine()
    async with running(store) as pipeline:
        await pipeline.check("tiny")
    assert engine.batch_sizes == [1]


async def test_answered_request_is_recorded(store: FakeStore) -> None:
    """A record has the preset, the seconds and no error."""
    observer = Observer()
    async with running(store, observer) as pipeline:
        await pipeline.run("tiny", ask())
    [record] = observer.requests
    assert (record.preset, record.error) == ("tiny", None)
    assert record.seconds > 0


async def test_refused_request_is_recorded_with_its_error(store: FakeStore) -> None:
    """A record has the error that the caller got."""
    observer = Observer()
    async with running(store, observer) as pipeline:
        with pytest.raises(MaskNotFoundError) as raised:
            await pipeline.run("tiny", ask("no mask"))
    assert [record.error for record in observer.requests] == [raised.value]


async def test_request_for_an_unknown_preset_is_recorded_without_its_name(
    store: FakeStore,
) -> None:
    """Names that callers make up are kept out of records."""
    observer = Observer()
    async with running(store, observer) as pipeline:
        with pytest.raises(PresetNotFoundError):
            await pipeline.run("nobody", ask(*[TEXT] * 5))
    assert [record.preset for record in observer.requests] == [None]


async def test_request_whose_caller_left_is_recorded(store: FakeStore) -> None:
    """A caller that leaves is an outcome."""
    observer = Observer()
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with running(store, observer) as pipeline:
            caller = asyncio.create_task(pipeline.run("tiny", ask()))
            await gate.reached()
            caller.cancel()
            await asyncio.wait([caller])
            gate.open()
    assert [type(record.error) for record in observer.requests] == [asyncio.CancelledError]


async def test_tokenization_is_recorded_once_a_request(store: FakeStore) -> None:
    """The texts of a request are tokenized together."""
    observer = Observer()
    async with running(store, observer) as pipeline:
        await pipeline.run("tiny", ask(TEXT, TEXT))
    assert len(observer.tokenizations) == 1


async def test_check_is_no_request(store: FakeStore) -> None:
    """Probes are not traffic."""
    observer = Observer()
    async with running(store, observer) as pipeline:
        await pipeline.check("tiny")
    assert observer == Observer()


def test_model_around_a_fake_engine_scores_as_promised() -> None:
    """The tests of this folder rest on the scores of the fake engine."""
    model = make_model()
    encoding = model.encode(TEXT, top_k=2, targets=None, limits=TextLimits())
    [[scores]] = model.predict([encoding])
    filled = model.decode(encoding, [scores])
    assert [p.score for p in filled.predictions[0]] == pytest.approx([0.5, 0.25])

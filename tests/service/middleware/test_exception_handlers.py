"""THE table, and the one form of every error of every route."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.exceptions import RequestValidationError

from fakes import FakeEngine, FakeStore, Gate, make_preset, score_by_id
from model_store import errors as model_errors
from model_store.engines.batches.batch import Batch, Scores
from service.errors import exceptions as errors
from service.errors.table import TABLE, outcome

TEXT = "the [MASK]"

Scenario = Callable[[FakeStore, Any], Awaitable[httpx.Response]]


def posting(body: object, path: str = "/fill-mask", **settings: Any) -> Scenario:
    """Return a scenario: a server of such settings is asked this."""

    async def post(store: FakeStore, serve: Any) -> httpx.Response:
        async with serve(store, **settings) as client:
            return await client.post(path, json=body)

    return post


def loading(error: Exception) -> Scenario:
    """Return a scenario: the load of the preset fails."""

    async def post(store: FakeStore, serve: Any) -> httpx.Response:
        store.errors["tiny"] = error
        return await posting({"inputs": TEXT})(store, serve)

    return post


async def post_to_a_broken_model(store: FakeStore, serve: Any) -> httpx.Response:
    """Ask a model that answers with no numbers."""

    def answer(batch: Batch, k: int) -> Scores:
        scores = score_by_id(batch, k)
        scores.log_probabilities[:] = np.inf
        return scores

    store.engines["tiny"] = FakeEngine(answer=answer)
    return await posting({"inputs": TEXT})(store, serve)


async def post_to_a_closing_server(
    store: FakeStore, serve: Any, path: str = "/fill-mask"
) -> httpx.Response:
    """Ask a server that still answers somebody else."""
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(serve(store))
            busy = asyncio.create_task(client.post("/fill-mask", json={"inputs": TEXT}))
            await gate.reached()
            # The lifespan ends first, the client is closed after it.
            app = client._transport.app
            closing = asyncio.create_task(stack.aclose())
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as late:
                await asyncio.sleep(0)
                response = await late.post(path, json={"inputs": TEXT})
            gate.open()
            await asyncio.gather(busy, closing)
            return response


async def post_to_a_full_queue(store: FakeStore, serve: Any) -> httpx.Response:
    """Ask a model that somebody else is waiting for."""
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        async with serve(store, max_queue_size=1) as client:
            callers = [asyncio.create_task(client.post("/fill-mask", json={"inputs": TEXT}))]
            await gate.reached()
            served = client._transport.app.state.pipeline._models.ready()["tiny"]
            callers += [asyncio.create_task(client.post("/fill-mask", json={"inputs": TEXT}))]
            while served.queue_size < 1:  # noqa: ASYNC110  # no event: turns of the loop
                await asyncio.sleep(0)
            response = await client.post("/fill-mask", json={"inputs": TEXT})
            gate.open()
            await asyncio.gather(*callers)
            return response


def posting_encoded(encoding: str) -> Scenario:
    """Return what sends a body that is not encoded as it says."""

    async def post(store: FakeStore, serve: Any) -> httpx.Response:
        async with serve(store) as client:
            headers = {"content-encoding": encoding}
            return await client.post("/fill-mask", json={"inputs": TEXT}, headers=headers)

    return post


async def post_in_a_hurry(store: FakeStore, serve: Any) -> httpx.Response:
    """Ask a model that answers after the caller's own deadline."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with serve(store) as client:
            headers = {"x-request-timeout-s": "0.001"}
            response = await client.post("/fill-mask", json={"inputs": TEXT}, headers=headers)
            gate.open()
            return response


async def post_a_part(store: FakeStore, serve: Any) -> httpx.Response:
    """Send the beginning of a body, and never the rest."""

    async def never_end() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with serve(store, request_timeout_s=1e-9) as client:
        return await client.post("/fill-mask", content=never_end())


async def post_for_a_preset_without_a_head(store: FakeStore, serve: Any) -> httpx.Response:
    """Name what is listed, and can never answer."""
    store._listed.append(make_preset("classifier", no_head="No head; use another preset."))
    return await posting({"inputs": TEXT, "preset": "classifier"})(store, serve)


async def post_a_pair_to_one_segment(store: FakeStore, serve: Any) -> httpx.Response:
    """Send two texts to a model that cannot tell them apart."""
    store.num_segments["tiny"] = 1
    return await posting({"inputs": {"text": TEXT, "text_pair": TEXT}})(store, serve)


async def ask_for_a_preset_that_is_not_loaded(store: FakeStore, serve: Any) -> httpx.Response:
    """Ask whether it is, as clients of the Open Inference Protocol do."""
    async with serve(store) as client:
        return await client.get("/v2/models/tiny/ready")


async def post_to_a_held_engine(store: FakeStore, serve: Any) -> httpx.Response:
    """Ask a model that answers after the deadline."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with serve(store, request_timeout_s=1e-9) as client:
            response = await client.post("/fill-mask", json={"inputs": TEXT})
            gate.open()
            return response


SCENARIOS: dict[type[Exception], Scenario] = {
    RequestValidationError: posting({"inputs": 1}),
    model_errors.RequestLimitError: posting({"inputs": [TEXT] * 3}, max_inputs=2),
    model_errors.TargetsMismatchError: posting({"inputs": TEXT, "targets": [["dog"], ["cat"]]}),
    errors.UnauthorizedError: posting({"inputs": TEXT}, api_keys=("key",), admin_keys=()),
    errors.EncodedBodyError: posting_encoded("br"),
    errors.CorruptBodyError: posting_encoded("gzip"),
    errors.CallerTimeoutError: post_in_a_hurry,
    errors.SlowBodyError: post_a_part,
    errors.PresetUnusableError: post_for_a_preset_without_a_head,
    errors.PresetNotLoadedError: ask_for_a_preset_that_is_not_loaded,
    errors.PayloadTooLargeError: posting({"inputs": TEXT}, max_body_bytes=5),
    errors.QueueFullError: post_to_a_full_queue,
    errors.ShuttingDownError: post_to_a_closing_server,
    errors.UnretriedShutdownError: partial(post_to_a_closing_server, path="/models/tiny"),
    errors.DeadlineExceededError: post_to_a_held_engine,
    model_errors.EmptyTextError: posting({"inputs": " "}),
    model_errors.MaskNotFoundError: posting({"inputs": "no mask"}),
    model_errors.UnexpectedMaskError: posting({"inputs": TEXT}, "/score"),
    model_errors.TextPairError: post_a_pair_to_one_segment,
    model_errors.TooManyMasksError: posting({"inputs": "[MASK] [MASK]"}, max_masks=1),
    model_errors.TextTooLongError: posting({"inputs": TEXT}, max_characters=5),
    model_errors.DistantMasksError: posting(
        {
            "inputs": f"{TEXT}{' the' * 40} [MASK]",
            "decode": "joint",
            "overflow": "window",
        }
    ),
    model_errors.UnknownTargetError: posting(
        {"inputs": TEXT, "parameters": {"targets": "zebra"}}, "/models/tiny"
    ),
    model_errors.PresetNotFoundError: posting({"inputs": TEXT, "preset": "nobody"}),
    model_errors.PresetUnavailableError: loading(model_errors.PresetUnavailableError("Fetch.")),
    model_errors.HeadMissingError: loading(model_errors.HeadMissingError("No head.")),
    model_errors.HeadUnprovenError: loading(model_errors.HeadUnprovenError(-9.0, -8.0)),
    model_errors.EngineUnavailableError: loading(model_errors.EngineUnavailableError("Gone.")),
    model_errors.ModelLoadError: loading(model_errors.ModelLoadError("Broken.")),
    model_errors.InferenceError: post_to_a_broken_model,
    errors.EngineLostError: loading(errors.EngineLostError()),
    errors.ModelReplacedError: loading(errors.ModelReplacedError()),
}

EXPECTED = {
    errors.UnauthorizedError: (401, "unauthorized"),
    errors.EncodedBodyError: (415, "invalid_request"),
    errors.CorruptBodyError: (422, "invalid_request"),
    RequestValidationError: (422, "invalid_request"),
    model_errors.RequestLimitError: (422, "invalid_request"),
    model_errors.TargetsMismatchError: (422, "invalid_request"),
    errors.CallerTimeoutError: (408, "caller_timeout"),
    errors.SlowBodyError: (408, "caller_timeout"),
    errors.PresetUnusableError: (422, "preset_unusable"),
    errors.PresetNotLoadedError: (409, "preset_not_loaded"),
    errors.MalformedRequestError: (400, "invalid_request"),
    errors.HeadersTooLargeError: (431, "headers_too_large"),
    errors.HeadTimeoutError: (408, "caller_timeout"),
    errors.TooManyConnectionsError: (429, "overloaded"),
    errors.PayloadTooLargeError: (413, "payload_too_large"),
    errors.QueueFullError: (429, "overloaded"),
    errors.ShuttingDownError: (503, "shutting_down"),
    errors.UnretriedShutdownError: (502, "shutting_down"),
    errors.DeadlineExceededError: (504, "timeout"),
    errors.EngineLostError: (502, "engine_lost"),
    errors.ModelReplacedError: (502, "preset_replaced"),
    model_errors.EmptyTextError: (422, "empty_text"),
    model_errors.MaskNotFoundError: (422, "mask_not_found"),
    model_errors.UnexpectedMaskError: (422, "unexpected_mask"),
    model_errors.TextPairError: (422, "text_pair_unsupported"),
    model_errors.TooManyMasksError: (422, "too_many_masks"),
    model_errors.TextTooLongError: (422, "text_too_long"),
    model_errors.DistantMasksError: (422, "text_too_long"),
    model_errors.UnknownTargetError: (422, "unknown_target"),
    model_errors.PresetNotFoundError: (404, "preset_not_found"),
    model_errors.PresetUnavailableError: (502, "preset_unavailable"),
    model_errors.HeadMissingError: (500, "head_missing"),
    model_errors.HeadUnprovenError: (500, "model_load_failed"),
    model_errors.EngineUnavailableError: (500, "model_load_failed"),
    model_errors.ModelLoadError: (500, "model_load_failed"),
    model_errors.InferenceError: (500, "inference_failed"),
}

BEFORE_A_REQUEST = {
    errors.MalformedRequestError,
    errors.HeadersTooLargeError,
    errors.HeadTimeoutError,
    errors.TooManyConnectionsError,
}
"""What a connection is refused for: test_connection.py provokes each."""


def test_every_row_of_the_table_is_expected() -> None:
    """A status or code changes only together with its expectation here."""
    assert TABLE == EXPECTED


def test_every_error_of_the_library_and_the_service_is_in_the_table() -> None:
    """A new exception cannot become an `internal` by being forgotten."""
    bases = {errors.ServiceError, model_errors.ModelStoreError, model_errors.InputError}
    raised = {
        error
        for module in (errors, model_errors)
        for error in vars(module).values()
        if isinstance(error, type) and issubclass(error, Exception) and error not in bases
    }
    assert raised <= set(TABLE)


@pytest.mark.parametrize("error", TABLE.keys() - BEFORE_A_REQUEST, ids=lambda e: e.__name__)
async def test_every_row_of_the_table_is_answered_over_http(
    store: FakeStore, serve: Any, error: type[Exception]
) -> None:
    """What the table says is what a client gets, in the one form."""
    response = await SCENARIOS[error](store, serve)
    answer = response.json()
    assert (response.status_code, answer["code"]) == EXPECTED[error]
    assert isinstance(answer["error"], str)
    assert answer["error"].endswith(".")
    assert set(answer) <= {"error", "code", "input"}


async def test_overload_says_when_to_try_again(store: FakeStore, serve: Any) -> None:
    """A client need not guess how long to wait."""
    response = await SCENARIOS[errors.QueueFullError](store, serve)
    assert response.headers["retry-after"] == "1"


async def test_unknown_path_is_answered_in_the_one_form(client: httpx.AsyncClient) -> None:
    """The router's own errors look like all others."""
    response = await client.get("/nothing")
    assert response.status_code == 404
    assert response.json() == {
        "error": "Not Found; GET /docs lists the routes and their methods.",
        "code": "invalid_request",
    }


async def test_unknown_method_is_answered_in_the_one_form(client: httpx.AsyncClient) -> None:
    """A known path says which methods it has."""
    response = await client.get("/fill-mask")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json() == {
        "error": "Method Not Allowed; GET /docs lists the routes and their methods.",
        "code": "invalid_request",
    }


@pytest.mark.parametrize(
    "body", [b"\x1f\x8b\x08", b"[" * 100_000, b'{"top_k": ' + b"9" * 5000 + b"}"]
)
async def test_body_that_cannot_be_read_is_an_invalid_request(
    client: httpx.AsyncClient, body: bytes
) -> None:
    """Compressed, nested deeply, or with a number of too many digits: and counted."""
    headers = {"content-type": "application/json"}
    response = await client.post("/fill-mask", content=body, headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert response.json()["error"].startswith("The body cannot be read as JSON; send")
    counted = 'fill_mask_requests_total{outcome="invalid_request",preset="unknown"} 1.0'
    assert counted in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    "body", [{"inputs": TEXT, "k" * 100_000: 1}, {"inputs": TEXT, "top_k": 10**4000}]
)
async def test_answer_repeats_little_of_a_request(client: httpx.AsyncClient, body: Any) -> None:
    """A long name or number is not sent back."""
    response = await client.post("/fill-mask", json=body)
    assert response.status_code == 422
    assert len(response.content) < 300


async def test_error_inside_leaks_nothing(client: httpx.AsyncClient, store: FakeStore) -> None:
    """A client learns that it is not its fault, and nothing else."""
    store.errors["tiny"] = RuntimeError("the secret at /home/secret")
    response = await client.post("/fill-mask", json={"inputs": TEXT})
    assert response.status_code == 500
    assert response.json() == {
        "error": "The server failed to answer; report this with the time it happened.",
        "code": "internal",
    }


async def test_server_lives_on_after_an_error_inside(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """The next request is answered."""
    errors_left = [RuntimeError("once")]

    def answer(batch: Batch, k: int) -> Scores:
        if errors_left:
            raise errors_left.pop()
        return score_by_id(batch, k)

    store.engines["tiny"] = FakeEngine(answer=answer)
    responses = [await client.post("/fill-mask", json={"inputs": TEXT}) for _ in range(2)]
    assert [response.status_code for response in responses] == [500, 200]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            {"inputs": TEXT, "top_k": 0},
            (
                "The request is not valid at top_k: "
                "Input should be greater than or equal to 1; see /docs."
            ),
        ),
        ({}, "The request is not valid at inputs: Field required; see /docs."),
        (
            {"inputs": TEXT, "topk": 1},
            "The request is not valid at topk: Extra inputs are not permitted; see /docs.",
        ),
        (
            {"inputs": []},
            (
                "The request is not valid at inputs: "
                "List should have at least 1 item after validation, not 0; see /docs."
            ),
        ),
        (
            {"inputs": TEXT, "filter": []},
            (
                "The request is not valid at filter: Input should be a valid dictionary or object "
                "to extract fields from; see /docs."
            ),
        ),
        (
            {"inputs": {"text": TEXT}},
            "The request is not valid at inputs.text_pair: Field required; see /docs.",
        ),
        (
            {"inputs": [TEXT, {"text": TEXT, "text_pair": TEXT, "more": 1}]},
            "The request is not valid at inputs.more: Extra inputs are not permitted; see /docs.",
        ),
        (
            [TEXT],
            "The body is no JSON object; send one with content-type: application/json.",
        ),
        (
            TEXT,
            "The body is no JSON object; send one with content-type: application/json.",
        ),
        (None, "The request is not valid at the body: Field required; see /docs."),
    ],
)
async def test_invalid_body_is_answered_with_one_sentence(
    client: httpx.AsyncClient, body: object, sentence: str
) -> None:
    """The sentence says where, and what to do."""
    response = await client.post("/fill-mask", json=body)
    assert response.json() == {"error": sentence, "code": "invalid_request"}


HOSTILE_BODIES = {
    "nothing": b"",
    "white space": b" \n",
    "no JSON": b"{inputs",
    "cut short": b'{"inputs": "the [MASK]"',
    "no UTF-8": b'{"inputs": "\xff\xfe [MASK]"}',
    "an overlong NUL": b'{"inputs": "\xc0\x80 [MASK]"}',
    "a lone surrogate": rb'{"inputs": "\ud800 [MASK]"}',
    "a lone surrogate in a list": rb'{"inputs": ["the [MASK]", "\udfff [MASK]"]}',
    "a lone surrogate alone": rb'{"inputs": "\ud800"}',
    "a lone surrogate as preset": rb'{"inputs": "the [MASK]", "preset": "\ud800"}',
    "a lone surrogate as target": rb'{"inputs": "the [MASK]", "targets": ["\ud800"]}',
    "a lone surrogate as field": rb'{"inputs": "the [MASK]", "\ud800": 1}',
    "a lone surrogate as the wrong type": rb'{"inputs": "the [MASK]", "top_k": "\ud800"}',
    "NUL as preset": rb'{"inputs": "the [MASK]", "preset": "\u0000"}',
    "a path as preset": rb'{"inputs": "the [MASK]", "preset": "../tiny"}',
    "an empty preset name": b'{"inputs": ["the"], "preset": ""}',
    "deep lists": b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "NaN": b'{"inputs": "the [MASK]", "top_k": NaN}',
    "infinity": b'{"inputs": "the [MASK]", "top_k": Infinity}',
    "a number without end": b'{"inputs": "the [MASK]", "top_k": 1' + b"0" * 5000 + b"}",
    "a large float": b'{"inputs": "the [MASK]", "top_k": 1e999}',
    "NaN alone": b"NaN",
    "a list": b"[]",
    "null": b"null",
}


@pytest.mark.parametrize("path", ["/fill-mask", "/models/tiny"])
@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES)
async def test_hostile_body_is_the_fault_of_its_sender(
    client: httpx.AsyncClient, path: str, body: bytes
) -> None:
    """No body makes the server fail, and each is answered in the one form."""
    headers = {"content-type": "application/json"}
    response = await client.post(path, content=body, headers=headers)
    answer = response.json()
    assert 400 <= response.status_code < 500, answer
    assert isinstance(answer["error"], str)
    assert isinstance(answer["code"], str)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "nonsense", ""]
)
async def test_body_that_is_not_declared_as_json_is_refused(
    client: httpx.AsyncClient, content_type: str
) -> None:
    """The sentence names the header to send."""
    response = await client.post(
        "/fill-mask", content=b'{"inputs": "the [MASK]"}', headers={"content-type": content_type}
    )
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert "content-type: application/json" in response.json()["error"]


@pytest.mark.parametrize(
    ("error", "label"),
    [
        (None, "ok"),
        (errors.QueueFullError(), "overloaded"),
        (RuntimeError(), "internal"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_every_end_of_a_request_has_a_label(error: BaseException | None, label: str) -> None:
    """Requests are counted by the code that their clients see."""
    assert outcome(error) == label


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/fill-mask",
        "/models/tiny",
        "/hf-inference/models/tiny",
        "/score",
        "/embed-sparse",
        "/embed_sparse",
    ],
)
async def test_refused_body_of_every_task_is_counted(client: httpx.AsyncClient, path: str) -> None:
    """Whatever was to be asked."""
    assert (await client.post(path, json={})).status_code == 422
    metrics = (await client.get("/metrics")).text
    assert 'fill_mask_requests_total{outcome="invalid_request",preset="unknown"} 1.0' in metrics

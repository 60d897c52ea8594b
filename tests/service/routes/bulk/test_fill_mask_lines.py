"""`POST /fill-mask` with lines."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from conversations import Conversation
from fakes import FakeEngine, FakeStore, Gate, settle

TEXT = "the [MASK] of france"
LINES = {"content-type": "application/x-ndjson", "accept": "application/x-ndjson"}
JSON_LINE = json.dumps({"inputs": TEXT}).encode() + b"\n"


async def post(client: httpx.AsyncClient, content: Any, **headers: str) -> httpx.Response:
    """Send lines."""
    return await client.post("/fill-mask", content=content, headers=LINES | headers)


def read(response: httpx.Response) -> list[Any]:
    """Return the lines of an answer."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.text.endswith("\n") or not response.text
    return [json.loads(line) for line in response.text.splitlines()]


def converse(client: httpx.AsyncClient) -> Conversation:
    """Return a conversation with the server of a client."""
    headers = [(b"content-type", b"application/x-ndjson"), (b"authorization", b"Bearer admin")]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "method": "POST", "path": "/fill-mask"}
    rest = {"query_string": b"", "headers": headers, "http_version": "1.1", "root_path": ""}
    return Conversation(client._transport.app, scope | rest)  # type: ignore[attr-defined]


BODIES = [
    {"inputs": TEXT},
    {"inputs": [TEXT, "[MASK]"], "top_k": 2},
    {"inputs": TEXT, "targets": ["paris", "london"]},
    {"inputs": TEXT, "preset": "other"},
    {"inputs": "no mask"},
    {"inputs": [TEXT, " "]},
    {"inputs": TEXT, "top_k": 1000},
    {"inputs": TEXT, "targets": ["zebra", "cats", "dog"]},
    {"inputs": TEXT, "targets": [["dog"], ["cat"]]},
    {"inputs": TEXT, "filter": {"whole_words": True}},
    {"inputs": TEXT, "preset": "nobody"},
]


async def test_line_is_answered_as_a_request_is(client: httpx.AsyncClient) -> None:
    """Good or bad; an error names its line as well."""
    lines = read(await post(client, "\n".join(map(json.dumps, BODIES))))
    for number, (body, line) in enumerate(zip(BODIES, lines, strict=True), 1):
        alone = await client.post("/fill-mask", json=body)
        assert line == alone.json() | ({} if alone.is_success else {"line": number})


async def test_line_may_be_a_text(client: httpx.AsyncClient) -> None:
    """As a string of JSON."""
    text, whole = read(await post(client, json.dumps(TEXT).encode() + b"\n" + JSON_LINE))
    assert text == whole


INVALID = [
    (b'{"inputs": 1}', "The request is not valid at inputs: "),
    (b'{"inputs": "[MASK]", "more": 1}', "The request is not valid at more: Extra inputs"),
    (b"1", "The request is not valid at the line: Input should be an object"),
    (b"nonsense", "The request is not valid at the line: Invalid JSON: "),
    (b'"nonsense', "The request is not valid at the line: Invalid JSON: "),
    (b'"\xff [MASK]"', "The request is not valid at the line: Invalid JSON: "),
    (b'"\\ud800 [MASK]"', "The request is not valid at the line: Invalid JSON: "),
]


@pytest.mark.parametrize(("line", "sentence"), INVALID, ids=str)
async def test_line_that_is_no_request_says_why(
    client: httpx.AsyncClient, line: bytes, sentence: str
) -> None:
    """Those around it are answered, and it is counted."""
    first, bad, last = read(await post(client, JSON_LINE + line + b"\n" + JSON_LINE))
    assert first == last
    assert bad.keys() == {"error", "code", "line"}
    assert (bad["code"], bad["line"]) == ("invalid_request", 2)
    assert bad["error"].startswith(sentence)
    assert bad["error"].endswith("see /docs.")
    counted = 'fill_mask_requests_total{outcome="invalid_request",preset="unknown"} 1.0'
    assert counted in (await client.get("/metrics")).text


async def test_empty_line_is_a_line(client: httpx.AsyncClient) -> None:
    """The n-th answer is that of the n-th line, in any case."""
    lines = read(await post(client, JSON_LINE + b"\r\n" + JSON_LINE))
    assert [line.get("code") for line in lines] == [None, "empty_text", None]


async def test_ends_of_lines_may_be_those_of_windows(client: httpx.AsyncClient) -> None:
    """White space around JSON means nothing."""
    one, other = read(await post(client, JSON_LINE + b" " + JSON_LINE[:-1] + b"\r\n"))
    assert one == other


async def test_limit_on_bodies_is_one_on_lines(store: FakeStore, serve: Any) -> None:
    """A body of lines may be as long as it likes, whatever it declares."""
    long = json.dumps({"inputs": TEXT + " " * 100}).encode() + b"\n"
    async with serve(store, max_body_bytes=len(JSON_LINE)) as client:
        lines = read(await post(client, JSON_LINE * 5 + long + JSON_LINE))
    assert [line.get("code") for line in lines] == [None] * 5 + ["payload_too_large", None]
    assert lines[5]["error"].startswith("The line is larger than ")


async def test_lines_may_be_packed(store: FakeStore, serve: Any) -> None:
    """What they unpack to is not limited, either: it is never here as a whole."""
    async with serve(store, max_body_bytes=1000) as client:
        packed = gzip.compress(JSON_LINE * 500)
        lines = read(await post(client, packed, **{"content-encoding": "gzip"}))
    assert len(lines) == 500


async def test_lines_that_are_packed_badly_are_answered_to_there(client: httpx.AsyncClient) -> None:
    """The line after them is the error."""
    packed = gzip.compress(JSON_LINE * 2, mtime=0)[:-2]
    lines = read(await post(client, packed, **{"content-encoding": "gzip"}))
    assert [line.get("code") for line in lines] == [None, None, "invalid_request"]
    assert lines[-1]["line"] == 3
    assert "gzip" in lines[-1]["error"]


@pytest.mark.parametrize("path", ["/models/tiny", "/tokenize"])
async def test_other_routes_take_no_lines(store: FakeStore, serve: Any, path: str) -> None:
    """Their bodies are read as a whole, and limited so."""
    async with serve(store, max_body_bytes=10) as client:
        response = await client.post(path, content=JSON_LINE, headers=LINES)
    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")


async def test_type_is_read_as_http_has_it(client: httpx.AsyncClient) -> None:
    """In any case, with parameters."""
    content_type = "Application/X-NDJSON; charset=utf-8"
    assert len(read(await post(client, JSON_LINE, **{"content-type": content_type}))) == 1


async def test_other_methods_stay_refused(client: httpx.AsyncClient) -> None:
    """With lines, too."""
    assert (await client.put("/fill-mask", content=JSON_LINE, headers=LINES)).status_code == 405


async def test_who_has_no_key_sends_no_lines(store: FakeStore, serve: Any) -> None:
    """As with any request."""
    async with serve(store, api_keys=("key",)) as client:
        response = await post(client, JSON_LINE, authorization="Bearer nobody")
    assert response.status_code == 401


async def test_caller_who_waits_for_each_answer_gets_it(client: httpx.AsyncClient) -> None:
    """Through all of the server: nothing on the way holds lines or answers back."""
    async with converse(client) as caller:
        for number in range(1, 4):
            await caller.say(JSON_LINE)
            while len(caller.lines) < number:  # noqa: ASYNC110  # no event: the engine is a thread
                await asyncio.sleep(0)
        assert not caller.is_answered
        await caller.say(more=False)
        assert caller.is_answered
        assert caller.status == 200


async def test_caller_who_hangs_up_leaves_nothing_in_the_queue(
    store: FakeStore, client: httpx.AsyncClient
) -> None:
    """Before the end of its lines, or after it."""
    for more in (True, False):
        with Gate() as gate:
            store.engines["tiny"] = FakeEngine(gate)
            await client.post("/presets/tiny/load", json={"reload": True})
            async with converse(client) as caller:
                await caller.say(JSON_LINE)
                await gate.reached()
                await caller.say(JSON_LINE * 3, more=more)
                served = client._transport.app.state.pipeline._models.ready()["tiny"]  # type: ignore[attr-defined]
                assert served.queue_size == 3
                await caller.hang_up()
                assert caller.task.done()
                assert served.queue_size == 0


async def test_lines_wait_where_a_request_would_be_refused(store: FakeStore, serve: Any) -> None:
    """Until there is room: none fails, and nobody hears of an overload."""
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        async with serve(store, max_queue_size=1) as client:
            pauses = asyncio.Semaphore(0)
            again = asyncio.Event()

            async def pause(_: float) -> None:
                pauses.release()
                await again.wait()
                await asyncio.sleep(0)

            client._transport.app.state.pipeline._pause = pause
            async with converse(client) as caller:
                await caller.say(JSON_LINE)
                await gate.reached()
                await caller.say(JSON_LINE * 4)
                for _ in range(3):
                    await pauses.acquire()
                refused = await client.post("/fill-mask", json={"inputs": TEXT})
                assert refused.status_code == 429
                gate.open()
                again.set()
                while len(caller.lines) < 5:  # noqa: ASYNC110  # no event: the engine is a thread
                    await asyncio.sleep(0)
                assert all(b"error" not in line for line in caller.lines)
            metrics = (await client.get("/metrics")).text
    assert 'fill_mask_requests_total{outcome="overloaded",preset="tiny"} 1.0' in metrics
    assert 'fill_mask_requests_total{outcome="ok",preset="tiny"} 5.0' in metrics


async def test_server_that_ends_says_so_once(client: httpx.AsyncClient) -> None:
    """Then the answer ends: who counts its lines knows where to go on."""
    async with converse(client) as caller:
        await caller.say(JSON_LINE)
        while not caller.lines:  # noqa: ASYNC110  # no event: the engine is a thread
            await asyncio.sleep(0)
        client._transport.app.state.pipeline.close()  # type: ignore[attr-defined]
        await caller.say(JSON_LINE * 3)
        last = json.loads(caller.lines[1])
        assert (last["code"], last["line"]) == ("shutting_down", 2)
        assert len(caller.lines) == 2
        assert caller.is_answered


async def test_time_of_a_caller_is_that_of_each_line(store: FakeStore, serve: Any) -> None:
    """Each has it for itself."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with serve(store) as client:
            lines = read(await post(client, JSON_LINE * 2, **{"x-request-timeout-s": "0.001"}))
            gate.open()
    assert [line["code"] for line in lines] == ["caller_timeout"] * 2


async def test_bad_time_is_refused_before_a_line_is_read(client: httpx.AsyncClient) -> None:
    """With a status."""
    response = await post(client, JSON_LINE, **{"x-request-timeout-s": "soon"})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


async def test_body_that_stops_coming_is_given_up(store: FakeStore, serve: Any) -> None:
    """Not one that takes long: the time counts from each piece on."""

    async def stop() -> AsyncIterator[bytes]:
        yield JSON_LINE
        await asyncio.Event().wait()

    async with serve(store, request_timeout_s=0.2) as client:
        pipeline = client._transport.app.state.pipeline
        pipeline._limits = replace(pipeline._limits, timeout_s=60.0)  # an answer has all the time
        first, last = read(await post(client, stop()))
    assert "results" in first
    assert (last["code"], last["line"]) == ("caller_timeout", 2)


async def test_failure_inside_is_told_of_without_its_message(
    store: FakeStore, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """It is in the log, once a line."""
    store.errors["tiny"] = RuntimeError("the secret")
    (line,) = read(await post(client, JSON_LINE))
    assert line["code"] == "internal"
    assert "secret" not in json.dumps(line)
    assert [record.getMessage() for record in caplog.records].count("request_failed") == 1
    await settle()

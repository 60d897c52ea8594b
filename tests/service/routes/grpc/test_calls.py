"""What every call passes: keys, room, time, its message, and the log."""

import asyncio
from typing import Any

import pytest
from grpc import StatusCode

from fakes import FakeStore, Gate, settle
from grpc_calls import ONE_MASK, SERVICE, Caller, infer_request, open_caller, refuse
from service.errors.table import INTERNAL, TABLE
from service.routes.grpc.calls import _read_timeout
from service.routes.grpc.statuses import STATUSES
from service.routes.grpc.wire import grpc_service_pb2 as wire

INFER = f"{SERVICE}ModelInfer"
REPOSITORY = ("RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload")


def responses(method: str, status: int) -> str:
    """Return the metric of the answers of a method."""
    return f'fill_mask_http_responses_total{{route="{SERVICE}{method}",status="{status}"}}'


def test_every_status_of_an_error_is_one_of_grpc() -> None:
    """Whatever is refused has one, and none stands there for nobody."""
    assert STATUSES.keys() == {status for status, _ in (*TABLE.values(), INTERNAL)}
    assert StatusCode.OK not in STATUSES.values()


async def test_answers_are_counted(caller: Caller) -> None:
    """By method and status, as routes are."""
    await caller.ask("ServerLive")
    await refuse(caller.start("ModelInfer", infer_request("no mask")))
    assert await caller.counted(responses("ServerLive", 200)) == 1
    assert await caller.counted(responses("ModelInfer", 422)) == 1


@pytest.mark.parametrize("key", [None, "wrong", ""])
async def test_who_has_no_key_is_refused(store: FakeStore, serve: Any, key: str | None) -> None:
    """Before anything of the message is read; probes are open."""
    async with open_caller(serve, store, api_keys=("key",)) as caller:
        refused = await refuse(caller.start("ModelInfer", infer_request(ONE_MASK), key=key))
        assert (refused.status, refused.code) == (StatusCode.UNAUTHENTICATED, "unauthorized")
        assert refused.metadata["www-authenticate"] == "Bearer"
        assert (await caller.start("ServerLive", key=key)).live
        assert (await caller.start("ModelInfer", infer_request(ONE_MASK), key="key")).outputs
        assert await caller.counted(responses("ModelInfer", 401)) == 1


@pytest.mark.parametrize("method", REPOSITORY)
async def test_only_admins_change_what_is_loaded(store: FakeStore, serve: Any, method: str) -> None:
    """As over HTTP."""
    async with open_caller(serve, store, api_keys=("key",)) as caller:
        refused = await refuse(caller.start(method, key="key"))
        assert refused.status is StatusCode.UNAUTHENTICATED
        assert "admin key" in refused.sentence


async def test_too_many_calls_are_refused(store: FakeStore, serve: Any) -> None:
    """With a status to try again after."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with open_caller(serve, store, max_connections=1) as caller:
            held = asyncio.ensure_future(caller.start("ModelInfer", infer_request(ONE_MASK)))
            await gate.reached()
            refused = await refuse(caller.start("ServerLive"))
            gate.open()
            assert (await held).outputs
    assert (refused.status, refused.code) == (StatusCode.RESOURCE_EXHAUSTED, "overloaded")
    assert "try again" in refused.sentence
    assert refused.metadata["retry-after"] == "1"


async def test_message_that_is_too_large_is_refused(store: FakeStore, serve: Any) -> None:
    """By the limit on bodies."""
    async with open_caller(serve, store, max_body_bytes=1000) as caller:
        refused = await refuse(caller.start("ModelInfer", infer_request(ONE_MASK + "x" * 1000)))
    assert refused.status is StatusCode.RESOURCE_EXHAUSTED


async def test_message_that_does_not_come_is_given_up(store: FakeStore, serve: Any) -> None:
    """As a body is."""
    async with open_caller(serve, store, request_timeout_s=0.01) as caller:
        refused = await refuse(caller.channel.stream_unary(INFER)())
    assert (refused.status, refused.code) == (StatusCode.DEADLINE_EXCEEDED, "caller_timeout")


async def test_call_without_a_message_is_refused(caller: Caller) -> None:
    """It is ended before one came."""
    refused = await refuse(caller.channel.stream_unary(INFER)(iter(())))
    assert refused.status is StatusCode.INVALID_ARGUMENT
    assert "at message" in refused.sentence


async def test_message_of_another_kind_is_refused(caller: Caller) -> None:
    """Whose bytes are none of the method's."""
    refused = await refuse(caller.channel.unary_unary(INFER)(b"\xff\xff"))
    assert refused.status is StatusCode.INVALID_ARGUMENT
    assert "inference.ModelInferRequest" in refused.sentence


@pytest.mark.parametrize("seconds", ["", "x", "0", "nan", "inf", "-1"])
async def test_time_that_is_none_is_refused(caller: Caller, seconds: str) -> None:
    """Naming the header."""
    call = caller.start("ModelInfer", infer_request(ONE_MASK), x_request_timeout_s=seconds)
    refused = await refuse(call)
    assert refused.code == "invalid_request"
    assert "x-request-timeout-s" in refused.sentence


@pytest.mark.parametrize(
    ("remaining", "header", "expected"),
    [
        (None, None, None),
        (5.0, None, 5.0),
        (5.0, "2", 2.0),
        (2.0, "5", 2.0),
        (0.0, None, 0.001),
    ],
)
def test_deadline_is_the_callers_time(
    remaining: float | None, header: str | None, expected: float | None
) -> None:
    """The sooner counts, where a header says another one."""

    class Context:
        def time_remaining(self) -> float | None:
            return remaining

    metadata = {} if header is None else {"x-request-timeout-s": header}
    assert _read_timeout(Context(), metadata) == expected


async def test_who_hangs_up_is_dropped(store: FakeStore, serve: Any) -> None:
    """And counted as such."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with open_caller(serve, store) as caller:
            call = caller.start("ModelInfer", infer_request(ONE_MASK))
            await gate.reached()
            call.cancel()
            await caller.wait_until_counted(
                'fill_mask_requests_total{outcome="cancelled",preset="tiny"}'
            )
            assert not await caller.counted(f'fill_mask_http_responses_total{{route="{INFER}"')
            gate.open()


async def test_who_is_past_the_deadline_is_dropped(store: FakeStore, serve: Any) -> None:
    """By the server too, whoever of both is sooner."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with open_caller(serve, store) as caller:
            await caller.ask("ServerLive")  # so that there is a connection already
            call = caller.start("ModelInfer", infer_request(ONE_MASK), timeout=0.5)
            refused = await refuse(call)
            await caller.wait_until_counted("fill_mask_requests_total{")
            gate.open()
    assert refused.status is StatusCode.DEADLINE_EXCEEDED


async def test_calls_under_way_are_answered_at_the_end(store: FakeStore, serve: Any) -> None:
    """And new ones refused: the end of the server waits for them."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with open_caller(serve, store) as caller:
            held = asyncio.ensure_future(caller.start("ModelInfer", infer_request(ONE_MASK)))
            await gate.reached()
            app = caller.http._transport.app  # type: ignore[attr-defined]
            app.state.pipeline.close()
            refused = await refuse(caller.start("ModelInfer", infer_request(ONE_MASK)))
            assert (refused.status, refused.code) == (StatusCode.UNAVAILABLE, "shutting_down")
            ending = asyncio.ensure_future(caller.end())
            await settle()
            assert not held.done()
            gate.open()
            assert (await held).outputs
            await ending


async def test_internal_errors_tell_nothing(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The traceback is in the log."""

    def fail(_: object) -> None:
        message = "secret"
        raise RuntimeError(message)

    monkeypatch.setattr("service.routes.grpc.inference.read_infer", fail)
    refused = await refuse(caller.start("ModelInfer", infer_request(ONE_MASK)))
    assert (refused.status, refused.code) == (StatusCode.INTERNAL, "internal")
    assert "secret" not in refused.sentence
    assert [record.message for record in caplog.records].count("request_failed") == 1


async def test_requests_are_logged_where_asked_for(
    store: FakeStore, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """With the id and the trace that their callers gave them."""
    caplog.set_level("INFO")
    trace = "0af7651916cd43dd8448eb211c80319c"
    async with open_caller(serve, store, access_log=True) as caller:
        await caller.start(
            "ServerLive", x_request_id="mine", traceparent=f"00-{trace}-b7ad6b7169203331-01"
        )
    [record] = [record for record in caplog.records if record.message == "request"]
    assert record.__dict__["route"] == f"{SERVICE}ServerLive"
    assert record.__dict__["status"] == 200


async def test_binary_metadata_is_nobodys(caller: Caller) -> None:
    """Nothing here reads it."""
    call = caller.channel.unary_unary(
        f"{SERVICE}ServerLive", response_deserializer=wire.ServerLiveResponse.FromString
    )
    assert (await call(b"", metadata=(("trace-bin", b"\xff"),))).live


async def test_too_many_connections_are_closed(store: FakeStore, serve: Any) -> None:
    """Before a byte of them is read."""
    async with open_caller(serve, store, max_connections=1) as caller:
        await caller.ask("ServerLive")
        reader, writer = await asyncio.open_connection(*caller.address.split(":"))
        assert await reader.read() == b""
        writer.close()

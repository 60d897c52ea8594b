"""What the log says of whether the server is ready."""

from collections.abc import Callable
from typing import Any

from fakes import FakeStore
from model_store.errors import ModelLoadError
from service.settings import Settings
from service.telemetry.logs import configure_logs


def of_server(events: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    """Return what was logged of the server's readiness."""
    return [
        (event["event"], event["preset"], event.get("reason"))
        for event in events
        if event["event"].startswith("server_")
    ]


async def test_readiness_is_an_event_whenever_it_changes(
    store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """However often a platform asks."""
    configure_logs(Settings())
    async with serve(store) as client:
        for error in (None, ModelLoadError("One."), ModelLoadError("Two."), None):
            await client.post("/presets/tiny/unload")
            store.errors = {"tiny": error} if error else {}
            for _ in range(3):
                assert (await client.get("/readyz")).status_code == (500 if error else 200)
    assert of_server(read_log()) == [
        ("server_ready", "tiny", None),
        ("server_not_ready", "tiny", "One."),
        ("server_not_ready", "tiny", "Two."),
        ("server_ready", "tiny", None),
    ]


async def test_ready_server_says_how_long_that_took(
    store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """Its preset is loaded as it starts, and nobody need ask."""
    configure_logs(Settings())
    async with serve(store, preload=True) as client:
        await client.get("/readyz")
    [event] = [event for event in read_log() if event["event"] == "server_ready"]
    assert 0 <= event["seconds"] < 60


async def test_probe_that_fails_for_ever_logs_one_traceback(
    store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """That of an unforeseen error, twice at the most: of the load, and of the server."""
    store.errors["tiny"] = RuntimeError("secret")
    configure_logs(Settings())
    async with serve(store) as client:
        answers = [await client.get("/readyz") for _ in range(20)]
    assert {(a.status_code, a.json()["code"]) for a in answers} == {(500, "internal")}
    assert [event["event"] for event in read_log()] == ["preset_failed", "server_not_ready"]


async def test_server_that_ends_is_not_ready_and_no_news(
    store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """Whoever ended it knows."""
    configure_logs(Settings())
    async with serve(store) as client:
        client._transport.app.state.pipeline.close()
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "shutting_down")
    assert read_log() == []

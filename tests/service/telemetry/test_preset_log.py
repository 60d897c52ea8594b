"""The life of presets in the log."""

from collections.abc import Callable
from typing import Any

import pytest

from fakes import FakeStore
from model_store.errors import ModelLoadError
from model_store.loading.load_news import LoadNews
from service.errors.exceptions import ShuttingDownError
from service.models.cache_records import CacheEvent, CacheRecord
from service.settings import Settings
from service.telemetry.logs import configure_logs
from service.telemetry.preset_log import PresetLog

BODY = {"inputs": "the [MASK]"}

Events = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def events(read_log: Callable[[], list[dict[str, Any]]]) -> Events:
    """Return what reads the events of presets since it was called last, without their times."""

    def read() -> list[dict[str, Any]]:
        own = [e for e in read_log() if e["event"].startswith("preset_")]
        for event in own:
            assert 0 <= event.pop("seconds", 0) < 60
            for name in ("timestamp", "logger", "request_id"):
                event.pop(name, None)
        return own

    return read


def failed(reason: str) -> dict[str, Any]:
    """Return the event of a load that failed for a known reason."""
    fields = {"preset": "tiny", "code": "model_load_failed", "reason": reason}
    return {"event": "preset_failed", "level": "error"} | fields


async def test_load_is_an_event_with_what_runs_the_model(
    store: FakeStore, serve: Any, events: Events
) -> None:
    """Whoever reads the log knows what answers, and how long it took to be there."""
    configure_logs(Settings())
    async with serve(store) as client:
        for _ in range(2):
            await client.post("/fill-mask", json=BODY)
        assert events() == [
            {
                "event": "preset_loaded",
                "level": "info",
                "preset": "tiny",
                "engine": "fake",
                "precision": "float32",
                "bytes": 100,
            }
        ]


async def test_failure_is_an_event_whenever_it_changes(
    store: FakeStore, serve: Any, events: Events
) -> None:
    """A probe that asks for ever fills no disk, and what is new is told at once."""
    configure_logs(Settings())
    async with serve(store) as client:
        for error in (ModelLoadError("One."), ModelLoadError("One."), ModelLoadError("Two.")):
            store.errors["tiny"] = error
            for path in ("/readyz", "/presets/tiny/load"):
                await client.request("GET" if path == "/readyz" else "POST", path)
        assert events() == [failed("One."), failed("Two.")]


@pytest.mark.parametrize("mend", ["load", "unload"])
async def test_failure_after_a_success_is_news(
    store: FakeStore, serve: Any, events: Events, mend: str
) -> None:
    """It is broken again, though for the same reason."""
    configure_logs(Settings())
    async with serve(store) as client:
        await client.post("/presets/tiny/load")
        store.errors["tiny"] = ModelLoadError("Broken.")
        await client.post("/presets/tiny/load", json={"reload": True})
        if mend == "load":
            del store.errors["tiny"]
            await client.post("/presets/tiny/load", json={"reload": True})
        else:
            await client.post("/presets/tiny/unload")
        store.errors["tiny"] = ModelLoadError("Broken.")
        await client.post("/presets/tiny/load", json={"reload": True})
        assert [e for e in events() if e["event"] == "preset_failed"] == [failed("Broken.")] * 2


async def test_unforeseen_failure_is_an_event_with_its_places(
    store: FakeStore, serve: Any, events: Events
) -> None:
    """Its message may be anything, an address with a token in it too."""
    store.errors["tiny"] = RuntimeError("secret")
    configure_logs(Settings())
    async with serve(store) as client:
        for _ in range(2):
            assert (await client.get("/readyz")).status_code == 500
        [event] = events()
    assert event["code"] == "internal"
    assert event["exception"].endswith("builtins.RuntimeError\n")
    assert "secret" not in str(event)


async def test_what_leaves_says_why(store: FakeStore, serve: Any, events: Events) -> None:
    """For another one, by hand, or because all ends."""
    configure_logs(Settings())
    async with serve(store, max_loaded_presets=1) as client:
        for preset in ("tiny", "other", "third"):
            await client.post(f"/presets/{preset}/load")
        await client.post("/presets/third/unload")
        await client.post("/presets/tiny/load")
    kinds = {"preset_evicted", "preset_unloaded"}
    assert [
        (e["event"], e["preset"], e.get("reason")) for e in events() if e["event"] in kinds
    ] == [
        ("preset_evicted", "tiny", "room for other"),
        ("preset_evicted", "other", "room for third"),
        ("preset_unloaded", "third", None),
        ("preset_evicted", "tiny", "the server ends"),
    ]


async def test_pin_is_an_event_when_it_changes(
    store: FakeStore, serve: Any, events: Events
) -> None:
    """As it is loaded, loaded anew, or later; not when it is pinned again."""
    configure_logs(Settings())
    async with serve(store, pinned_presets=("other",)) as client:
        for body in (
            {"pin": True},
            {"pin": True},
            {"pin": True, "reload": True},
            {"pin": False},
            {"pin": True},
            {"pin": False, "reload": True},
        ):
            await client.post("/presets/tiny/load", json=body)
        await client.post("/presets/other/load")
    pins = [(e["event"], e["preset"]) for e in events() if "pinned" in e["event"]]
    assert sorted(pins, key=lambda pin: pin[1]) == [
        ("preset_pinned", "other"),
        ("preset_pinned", "tiny"),
        ("preset_unpinned", "tiny"),
        ("preset_pinned", "tiny"),
        ("preset_unpinned", "tiny"),
    ]


def test_end_of_the_server_is_no_failure(events: Events) -> None:
    """What is fetched then is given up, and nothing is wrong with it."""
    configure_logs(Settings())
    PresetLog().observe(CacheRecord(CacheEvent.FAILURE, "tiny", 0, error=ShuttingDownError()))
    assert events() == []


async def test_what_a_load_tells_is_an_event(store: FakeStore, serve: Any, read_log: Any) -> None:
    """Work each time; what has to be done without once, but damage whenever it is found."""
    configure_logs(Settings())
    store.news["tiny"] = [
        LoadNews("conversion_damaged", "It is damaged."),
        LoadNews("converting", "It is converted."),
        LoadNews("measuring", "It is measured."),
        LoadNews("engine_unavailable", "It is slower."),
        LoadNews("cache_not_writable", "It is converted at every load."),
        LoadNews("not_measured", "It is computed in float32."),
    ]
    async with serve(store) as client:
        for _ in range(2):
            await client.post("/presets/tiny/load", json={"reload": True})
    told = [
        (event["level"], event["event"], event["preset"], event.get("reason"))
        for event in read_log()
        if event["event"] not in {"preset_loaded", "preset_evicted"}
    ]
    damaged = ("warning", "conversion_damaged", "tiny", "It is damaged.")
    working = [("info", f"preset_{work}", "tiny", None) for work in ("converting", "measuring")]
    slower = ("warning", "engine_unavailable", "tiny", "It is slower.")
    again = ("warning", "cache_not_writable", "tiny", "It is converted at every load.")
    guessed = ("warning", "precision_not_measured", "tiny", "It is computed in float32.")
    assert told == [damaged, *working, slower, again, guessed, damaged, *working]

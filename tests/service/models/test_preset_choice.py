"""Which presets a caller may name, and whose fault it is when one is of no use."""

from typing import Any

import httpx
import pytest

from fakes import FakeStore, make_preset
from keys import ADMIN_KEY
from model_store.store import ModelStore
from service.app import create_app
from service.settings import Settings

BODY = {"inputs": "the [MASK]", "preset": "classifier"}
REASON = "No head; use another preset."


@pytest.fixture
def store() -> FakeStore:
    """Return a store with a preset that can never fill a mask."""
    return FakeStore([make_preset("tiny"), make_preset("classifier", no_head=REASON)])


async def ask(client: httpx.AsyncClient) -> list[tuple[int, str]]:
    """Return status and code for each way to name the preset."""
    answers = [
        await client.post("/fill-mask", json=BODY),
        await client.post("/models/classifier", json={"inputs": "the [MASK]"}),
        await client.post("/presets/classifier/load"),
    ]
    assert {answer.json()["error"] for answer in answers} == {REASON}
    return [(answer.status_code, answer.json()["code"]) for answer in answers]


async def test_preset_that_can_never_answer_is_its_callers_wrong_choice(
    store: FakeStore, serve: Any
) -> None:
    """No load is tried, none has failed, and it is counted apart from the server's errors."""
    async with serve(store) as client:
        assert await ask(client) == [(422, "preset_unusable")] * 3
        metrics = (await client.get("/metrics")).text
        states = {p["name"]: p["state"] for p in (await client.get("/presets")).json()["presets"]}
    assert store.loads == []
    assert states["classifier"] == "available"
    assert "fill_mask_model_load_failures_total 0.0" in metrics
    assert 'outcome="preset_unusable",preset="unknown"} 2.0' in metrics


@pytest.mark.parametrize(
    "settings", [{"default_preset": "classifier"}, {"pinned_presets": ("classifier",)}]
)
async def test_preset_that_the_settings_name_is_the_servers(
    store: FakeStore, serve: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks for it: it was to work."""
    monkeypatch.setattr(FakeStore, "load", ModelStore.load)
    async with serve(store, **settings) as client:
        assert await ask(client) == [(500, "head_missing")] * 3
        metrics = (await client.get("/metrics")).text
    assert 'fill_mask_preset_ready{preset="classifier"} 0.0' in metrics


async def test_preset_that_cannot_come_here_is_its_callers_wrong_choice() -> None:
    """A real store without a connection: the names are listed, and their files are nowhere."""
    settings = Settings(offline=True, preload=False, admin_keys=(ADMIN_KEY,))
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://fillmask") as client,
    ):
        for name in ("bert_base_zh", "bert_tiny_en_uncased_sst2"):
            answer = await client.post("/fill-mask", json=BODY | {"preset": name})
            assert (answer.status_code, answer.json()["code"]) == (422, "preset_unusable")
            assert answer.json()["error"].endswith(".")

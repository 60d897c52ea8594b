"""What Serve is given to run."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from ray import serve

from fakes import FakeStore, make_preset
from keys import ADMIN_KEY
from ray_handles import LocalHandle
from service.app import create_app
from service.processes.engine_process.frames import (
    NO_ANSWER,
    Answer,
    Done,
    FrameDecoder,
    Load,
    encode_frame,
)
from service.processes.ray.application import Engine, Ingress, Options, compose
from service.processes.ray.board import Board
from service.settings import Settings

SETTINGS = Settings(
    default_preset="tiny", preload=False, admin_keys=(ADMIN_KEY,), grpc_port=8001, workers=4
)
ANSWERS: FrameDecoder[Answer] = FrameDecoder(Answer)


class UnlistedEngine(Engine):
    """An engine replica outside of Serve, which would keep a list of what it holds."""

    async def _hold(self, model_id: str) -> str:
        listed: str = await Engine._hold.__wrapped__(self, model_id)
        return listed

    def __del__(self) -> None:  # type: ignore[override]
        """Serve would await it; here, whoever made it closes it."""


def _create_store(_settings: Settings) -> FakeStore:
    return FakeStore(map(make_preset, ("tiny", "other")))


@pytest.fixture(autouse=True)
def _in_a_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be where Serve says which replica this is."""
    context = SimpleNamespace(replica_tag="engine#1")
    monkeypatch.setattr(serve, "get_replica_context", lambda: context)


async def _make_engine(board: LocalHandle) -> Engine:
    # Serve awaits it.
    engine = UnlistedEngine.__new__(UnlistedEngine)
    await engine.__init__(SETTINGS, _create_store, board)  # type: ignore[func-returns-value,misc]
    return engine


async def test_deployments_answer_as_one_server() -> None:
    """HTTP goes in at the ingress, frames to the engine, counts to the board."""
    board = LocalHandle([Board(SETTINGS)])
    engine = await _make_engine(board)
    handle: Any = LocalHandle([engine])
    ingress = Ingress(SETTINGS, _create_store, create_app, handle, board)
    proxied: Any = ingress.__serve_build_asgi_app__()
    transport = httpx.ASGITransport(proxied)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://fillmask") as client,
        proxied._app.router.lifespan_context(proxied._app),
    ):
        answer = await client.post("/fill-mask", json={"inputs": "the [MASK]"})
        assert answer.json()["results"][0]["masks"][0]["predictions"][0]["token"] == 0
        metrics = (await client.get("/metrics")).text
    assert 'fill_mask_requests_total{outcome="ok",preset="tiny"} 1.0' in metrics.splitlines()
    await Engine.__del__(engine)


async def test_engine_answers_for_what_it_holds() -> None:
    """Whether it is the only one asked, or every replica is."""
    engine = await _make_engine(LocalHandle([Board(SETTINGS)]))
    frame = encode_frame(NO_ANSWER, Load("tiny"))
    assert await engine.answer_if_held(frame) is None
    assert ANSWERS.decode(await engine.answer(frame)) == (NO_ANSWER, Done())
    assert await engine.answer_if_held(frame) is not None
    await engine.check_health()
    await Engine.__del__(engine)


def test_application_is_made_of_three_deployments() -> None:
    """Serve's options are those that are given, over the usual ones."""
    options = Options(engine={"num_replicas": 3}, ingress={"max_ongoing_requests": 7})
    app = compose(SETTINGS, _create_store, create_app, options)
    ingress: Any = app._bound_deployment
    settings, _, _, engine, board = ingress.init_args
    assert (ingress.name, ingress.max_ongoing_requests) == ("ingress", 7)
    assert (engine._bound_deployment.name, engine._bound_deployment.num_replicas) == ("engine", 3)
    assert (board._bound_deployment.name, board._bound_deployment.num_replicas) == ("board", 1)
    assert (settings.grpc_port, settings.workers) == (None, 1)
    for deployment in (ingress, engine._bound_deployment, board._bound_deployment):
        logged = deployment._deployment_config.logging_config
        assert not logged["enable_access_log"]  # a line for each call and each beat

"""A server without models: everything of it is real but the engine and the preset files."""

import gc
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, NoReturn

import httpx
import pytest
import structlog

from fakes import FakeStore, make_preset
from keys import ADMIN_KEY
from model_store.store import ModelStore
from service.app import create_app
from service.settings import Settings
from service.telemetry import logs

ReadLog = Callable[[], list[dict[str, Any]]]
Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]

_PATIENCE_S = 300


@pytest.fixture(autouse=True, scope="session")
def _collections_are_fast() -> Iterator[None]:
    """Spare the collector what is here already: every model that is closed makes it run."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _no_test_hangs() -> Iterator[None]:
    """Fail a test whose caller waits for ever, where it would stop the whole run."""

    def fail(*_: object) -> NoReturn:
        message = "the test hangs"
        raise TimeoutError(message)

    previous = signal.signal(signal.SIGALRM, fail)
    signal.alarm(_PATIENCE_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in [name for name in os.environ if name.upper().startswith("FILLMASK_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logs_stay_as_they_were() -> Iterator[None]:
    """Undo what a test configures for its whole process."""
    loggers = [
        logging.getLogger(),
        *map(logging.getLogger, (*logs._OURS, *logs._SERVERS, logs._SILENT)),
    ]
    before = [(each, each.handlers[:], each.level, each.propagate) for each in loggers]
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    # Its own defaults draw every traceback with the variables of each frame, which takes seconds.
    structlog.configure(
        processors=[structlog.stdlib.render_to_log_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    yield
    logging.captureWarnings(capture=False)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    for logger, handlers, level, propagates in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagates
    structlog.reset_defaults()


@pytest.fixture
def read_log(capsys: pytest.CaptureFixture[str]) -> ReadLog:
    """Return what reads the events that were logged, as JSON, since it was called last."""
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.fixture
def store() -> FakeStore:
    """Return a store of three presets."""
    return FakeStore(map(make_preset, ("tiny", "other", "third")))


@asynccontextmanager
async def _serve(store: ModelStore, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    defaults = {"default_preset": "tiny", "preload": False, "admin_keys": (ADMIN_KEY,)}
    app = create_app(Settings(**defaults | settings), store)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=transport,
                base_url="http://fillmask",
                headers={"authorization": f"Bearer {ADMIN_KEY}"},
            )
        )
        await stack.enter_async_context(app.router.lifespan_context(app))
        yield client


@pytest.fixture
def serve() -> Serve:
    """Return what starts a server of a store and settings, and gives a client of it."""
    return _serve


@pytest.fixture
async def client(store: FakeStore, serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a server with the default limits."""
    async with serve(store) as client:
        yield client

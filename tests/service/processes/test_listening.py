"""Where the server listens, and how."""

import asyncio
import errno
import os
import pickle
import signal
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service.middleware.connection import LimitedConnection
from service.processes.listening import ListenError, listen, serve_app, uvicorn_options
from service.processes.shutdown import exit_well_on_sigterm
from service.settings import Settings

HERE = "127.0.0.1"
KEYS = {"api_keys": ("key",)}


def test_port_may_be_any_free_one(caplog: pytest.LogCaptureFixture) -> None:
    """The log says which it is."""
    caplog.set_level("INFO")
    with listen(Settings(), HERE, 0) as listener:
        port = listener.getsockname()[1]
    [record] = caplog.records
    assert record.message == "listening"
    assert record.__dict__["address"] == f"http://{HERE}:{port}"


def test_address_of_ipv6_is_written_as_browsers_read_it(caplog: pytest.LogCaptureFixture) -> None:
    """In brackets."""
    caplog.set_level("INFO")
    with listen(Settings(), "::1", 0):
        assert caplog.records[0].__dict__["address"].startswith("http://[::1]:")


def test_uvicorn_believes_no_proxy_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would believe all of this machine; which ones may be is a setting of ours."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    config = uvicorn.Config(FastAPI(), **uvicorn_options(Settings()))
    config.load()
    assert not isinstance(config.loaded_app, ProxyHeadersMiddleware)


def test_workers_take_the_socket_over() -> None:
    """It outlives what starts them."""
    with listen(Settings(), HERE, 0) as listener:
        assert listener.get_inheritable()


@pytest.mark.parametrize(
    ("host", "settings", "warnings"),
    [
        ("0.0.0.0", {}, 1),  # noqa: S104  # what is tested
        ("::", {}, 1),
        ("0.0.0.0", KEYS, 0),  # noqa: S104
        (HERE, {}, 0),
        ("::1", {}, 0),
        ("localhost", {}, 0),
    ],
)
def test_open_server_is_warned_of_once(
    host: str, settings: Any, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reaches it may ask: that is to be meant so."""
    with listen(Settings(**settings), host, 0):
        found = [record for record in caplog.records if record.message == "open_to_all"]
    assert len(found) == warnings
    assert all("FILLMASK_API_KEYS" in record.__dict__["hint"] for record in found)


def test_name_is_no_loopback_for_its_looks(caplog: pytest.LogCaptureFixture) -> None:
    """Only those names are known that are."""
    with listen(Settings(), "0", 0):
        assert [record.message for record in caplog.records] == ["open_to_all"]


def test_keys_in_a_file_are_keys(tmp_path: Any, caplog: pytest.LogCaptureFixture) -> None:
    """No warning then, either."""
    path = tmp_path / "keys"
    path.write_text("key", "utf-8")
    with listen(Settings(api_keys_file=path), "0.0.0.0", 0):  # noqa: S104
        assert caplog.records == []


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_address_of_another_machine_is_refused_in_a_sentence(host: str) -> None:
    """A number or a name."""
    with pytest.raises(ListenError, match=f"^{host} is no address of this machine; name one with"):
        listen(Settings(), host, 0)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "Port 80 takes a privilege; name one above 1023"),
        (errno.EMFILE, r"Nobody can listen on port 80 of 127.0.0.1 \(Too many open files\); name"),
    ],
)
def test_refusal_of_the_system_is_a_sentence(
    number: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests may run as root, who may listen everywhere: the system is told what to say."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(ListenError, match=sentence):
        listen(Settings(), HERE, 80)


def test_options_reach_workers() -> None:
    """Those are spawned: what they are given is pickled."""
    options = pickle.loads(pickle.dumps(uvicorn_options(Settings(max_header_bytes=9))))  # noqa: S301
    assert options["http"].func is LimitedConnection
    assert options["http"].keywords["limits"].max_header_bytes == 9
    assert (options["access_log"], options["log_config"]) == (False, None)
    config = uvicorn.Config(FastAPI(), **options)
    config.load()
    assert config.timeout_worker_healthcheck >= 60


def test_every_limit_of_a_connection_is_a_setting() -> None:
    """Each reaches what watches connections."""
    settings = Settings(
        max_header_bytes=1,
        max_header_fields=2,
        max_connections=3,
        header_timeout_s=4,
        request_timeout_s=5,
        keep_alive_timeout_s=6,
    )
    options = uvicorn_options(settings)
    limits = options["http"].keywords["limits"]
    assert limits.max_header_bytes == 1
    assert limits.max_header_fields == 2
    assert limits.max_connections == 3
    assert limits.header_timeout_s == 4
    assert limits.answer_timeout_s == 5
    assert options["timeout_keep_alive"] == 6


@asynccontextmanager
async def _tell(app: FastAPI) -> AsyncIterator[None]:
    app.state.started.set()
    yield


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_app_is_served_until_a_signal(number: signal.Signals) -> None:
    """Over a real socket, and the loop that uvicorn takes; its end is an end like any other."""
    app = FastAPI(lifespan=_tell)
    app.state.started = threading.Event()
    statuses: list[int] = []

    def ask(port: int) -> None:
        app.state.started.wait()
        answer = httpx.get(f"http://{HERE}:{port}/nowhere", timeout=60, trust_env=False)
        statuses.append(answer.status_code)
        os.kill(os.getpid(), number)

    exit_well_on_sigterm()
    with listen(Settings(), HERE, 0) as listener:
        caller = threading.Thread(target=ask, args=(listener.getsockname()[1],))
        caller.start()
        if number == signal.SIGTERM:
            with pytest.raises(SystemExit) as ended:
                serve_app(app, listener, Settings())
            assert ended.value.code == 0
        else:
            serve_app(app, listener, Settings())
        caller.join()
    assert statuses == [404]


def test_app_that_cannot_start_is_a_failure() -> None:
    """Whoever started it hears so."""

    @asynccontextmanager
    async def fail(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.sleep(0)
        raise RuntimeError
        yield

    with listen(Settings(), HERE, 0) as listener, pytest.raises(SystemExit) as ended:
        serve_app(FastAPI(lifespan=fail), listener, Settings())
    assert ended.value.code != 0


def test_listener_ends_a_start_that_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C before the server runs."""

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn.Server, "run", interrupt)
    with listen(Settings(), HERE, 0) as listener, pytest.raises(SystemExit) as ended:
        serve_app(FastAPI(), listener, Settings())
    assert ended.value.code == 1

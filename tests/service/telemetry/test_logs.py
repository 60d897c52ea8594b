"""The log: one event a line, from every logger, without a word of callers."""

import asyncio
import gc
import io
import json
import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from fakes import FakeEngine, FakeStore
from model_store.engines.batches.batch import Batch, Scores
from service.settings import Settings
from service.telemetry.logs import configure_logs, format_traceback

SECRET = "xyzzy"  # noqa: S105  # it stands for one
KEY = "sesame"


def fail(_batch: Batch, _k: int) -> Scores:
    """Fail as an engine does that quotes what it was given."""
    try:
        raise ValueError(SECRET)  # noqa: TRY301  # it is to have a traceback
    except ValueError as error:
        raise RuntimeError(SECRET) from error


def test_event_is_an_object_with_fields(read_log: Callable[[], Any]) -> None:
    """Whoever reads it parses nothing but JSON."""
    configure_logs(Settings())
    structlog.get_logger("service.any").info("preset_loaded", preset="tiny")
    [event] = read_log()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", event.pop("timestamp"))
    assert event == {
        "event": "preset_loaded",
        "level": "info",
        "logger": "service.any",
        "preset": "tiny",
    }


def test_field_of_any_type_is_shown(read_log: Callable[[], Any]) -> None:
    """No event is lost for what is in it."""
    configure_logs(Settings())
    structlog.get_logger("service.any").info("moved", path=Path("/tmp"), error=OSError(2))  # noqa: S108
    [event] = read_log()
    assert (event["path"], event["error"]) == ("PosixPath('/tmp')", "OSError(2)")


@pytest.mark.parametrize(
    "name", ["uvicorn.error", "asyncio", "service.processes.engine_process.server"]
)
def test_loggers_of_the_standard_library_take_the_same_way(
    name: str, read_log: Callable[[], Any]
) -> None:
    """Others' lines are objects too, whatever they had configured."""
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler())
    configure_logs(Settings())
    logging.getLogger(name).warning("Took %d seconds.", 3)
    [event] = read_log()
    assert (event["event"], event["level"], event["logger"]) == (
        "Took 3 seconds.",
        "warning",
        name,
    )


def test_request_id_is_in_every_event_of_a_request(read_log: Callable[[], Any]) -> None:
    """Those of other loggers included."""
    configure_logs(Settings())
    with structlog.contextvars.bound_contextvars(request_id="7"):
        structlog.get_logger("service.any").info("ours")
        logging.getLogger("others").warning("Theirs.")
    structlog.get_logger("service.any").info("outside")
    assert [event.get("request_id") for event in read_log()] == ["7", "7", None]


@pytest.mark.parametrize(
    ("level", "logged"),
    [("debug", ["debug", "info", "error"]), ("info", ["info", "error"]), ("error", ["error"])],
)
def test_level_says_what_is_logged(
    level: Any, logged: list[str], read_log: Callable[[], Any]
) -> None:
    """For our events and for those of others."""
    configure_logs(Settings(log_level=level))
    for logger in (structlog.get_logger("service.any"), logging.getLogger("uvicorn.error")):
        for name in ("debug", "info", "error"):
            getattr(logger, name)(name)
    assert [event["event"] for event in read_log()] == logged * 2


@pytest.mark.parametrize(
    ("level", "logged"), [("debug", ["warning", "error"]), ("error", ["error"])]
)
def test_others_are_never_heard_below_a_warning(
    level: Any, logged: list[str], read_log: Callable[[], Any]
) -> None:
    """Clients of hubs log addresses with signatures, and headers with tokens."""
    configure_logs(Settings(log_level=level))
    for name in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger("httpx2"), name)(name)
    assert [event["event"] for event in read_log()] == logged


def test_console_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """It has the same fields, and is no JSON."""
    configure_logs(Settings(log_format="console"))
    structlog.get_logger("service.any").info("preset_loaded", preset="tiny")
    line = capsys.readouterr().err
    assert "preset_loaded" in line
    assert "preset=tiny" in line
    with pytest.raises(json.JSONDecodeError):
        json.loads(line)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_whoever_looks_decides_the_form(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_terminal: bool
) -> None:
    """A terminal has a person before it; whatever else reads a log wants JSON."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    configure_logs(Settings())
    structlog.get_logger("service.any").info("preset_loaded", preset="tiny")
    assert capsys.readouterr().err.startswith("{") is not is_terminal


def test_configuring_again_doubles_nothing(read_log: Callable[[], Any]) -> None:
    """Whoever calls it last decides."""
    configure_logs(Settings())
    configure_logs(Settings())
    structlog.get_logger("service.any").info("once")
    assert len(read_log()) == 1


def test_server_logs_no_requests_of_its_own(read_log: Callable[[], Any]) -> None:
    """Its lines hold paths and queries; it looks for a handler once a connection."""
    logging.getLogger("uvicorn.access").addHandler(logging.StreamHandler())
    configure_logs(Settings(log_level="debug"))
    assert not logging.getLogger("uvicorn.access").hasHandlers()
    logging.getLogger("uvicorn.access").info(SECRET)
    assert read_log() == []


def test_extra_fields_are_shown_of_our_own_loggers_only(read_log: Callable[[], Any]) -> None:
    """What libraries pass along is for handlers of their own, and may quote anybody."""
    configure_logs(Settings())
    for name in ("model_store.any", "service.any", "uvicorn.error"):
        logging.getLogger(name).warning("moved", extra={"preset": "tiny"})
    assert [event.get("preset") for event in read_log()] == ["tiny", "tiny", None]


def test_name_that_is_no_text_is_shown(read_log: Callable[[], Any]) -> None:
    """A file may have any bytes for a name, and its event is not lost."""
    configure_logs(Settings())
    structlog.get_logger("service.any").info("moved", file=os.fsdecode(b"\xff"))
    [event] = read_log()
    assert event["file"] == "\udcff"


def test_event_that_cannot_be_written_is_told_of(read_log: Callable[[], Any]) -> None:
    """Python would write a traceback that is no JSON, and quote its arguments."""
    configure_logs(Settings())
    logging.getLogger("theirs").warning("%d texts", SECRET)
    [event] = read_log()
    assert (event["event"], event["by"]) == ("event_lost", "theirs")
    assert "test_logs.py:" in event["place"]
    assert SECRET not in str(event)


def test_log_that_nobody_reads_is_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stderr that was closed loses events, and nothing else."""
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    configure_logs(Settings())
    structlog.get_logger("service.any").info("lost")
    logging.getLogger("theirs").warning("lost")


def test_warning_is_an_event(read_log: Callable[[], Any]) -> None:
    """Whoever warns by Python's own means."""
    configure_logs(Settings())
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("Old.", stacklevel=1)
    [event] = read_log()
    assert (event["logger"], event["level"]) == ("py.warnings", "warning")
    assert "Old." in event["event"]


def test_error_that_ends_a_thread_is_an_event(read_log: Callable[[], Any]) -> None:
    """Of the thread's own function, which nobody catches."""
    configure_logs(Settings())

    def fail_in_thread() -> None:
        raise RuntimeError(SECRET)

    thread = threading.Thread(target=fail_in_thread, name="mine")
    thread.start()
    thread.join()
    require_uncaught(read_log(), thread="mine")


def test_error_of_a_thread_that_nobody_knows_is_an_event(read_log: Callable[[], Any]) -> None:
    """One that is gone already has no name."""
    configure_logs(Settings())
    error = RuntimeError(SECRET)
    threading.excepthook(threading.ExceptHookArgs((RuntimeError, error, None, None)))
    require_uncaught(read_log(), thread=None)


def test_error_that_ends_the_process_is_an_event(read_log: Callable[[], Any]) -> None:
    """The end that somebody asked for by Ctrl-C is none."""
    configure_logs(Settings())
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    sys.excepthook(RuntimeError, RuntimeError(SECRET), None)
    require_uncaught(read_log())


def test_error_that_nobody_can_catch_is_an_event(read_log: Callable[[], Any]) -> None:
    """As of an object that goes."""
    gc.collect()  # what other tests have left is none of it
    configure_logs(Settings())

    class Failing:
        def __del__(self) -> None:
            raise RuntimeError(SECRET)

    Failing()
    gc.collect()
    require_uncaught(read_log(), event="unraisable")


def require_uncaught(events: Any, event: str = "uncaught", **fields: Any) -> None:
    """Require that there is one event of an error, with its places and without its message."""
    [only] = events
    assert only.items() >= {"event": event, **fields}.items()
    assert only["exception"].splitlines()[-1] == "builtins.RuntimeError"
    assert SECRET not in str(only)


@pytest.mark.parametrize("form", ["json", "console"])
async def test_nothing_that_callers_send_is_logged(
    form: str, store: FakeStore, serve: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """No text, no key, no path and no query: of answers, refusals and failures."""
    configure_logs(Settings(log_format=form))
    store.engines["other"] = FakeEngine(answer=fail)
    headers = {"authorization": f"Bearer {KEY}", "x-api-key": KEY, "x-request-id": f"{SECRET} 1"}
    async with serve(store, access_log=True) as client:

        async def post(path: str, **body: Any) -> int:
            answer = await client.post(f"{path}?q={SECRET}", json=body, headers=headers)
            return int(answer.status_code)

        statuses = [
            await post("/fill-mask", inputs=f"the {SECRET} [MASK]"),
            await post("/fill-mask", inputs=[SECRET, 3]),
            await post("/fill-mask", inputs=SECRET),
            await post("/fill-mask", inputs="[MASK]", targets=[SECRET]),
            await post("/models/tiny", inputs="[MASK]", parameters={"targets": [SECRET]}),
            await post(f"/models/{SECRET}", inputs="[MASK]"),
            await post(f"/{SECRET}"),
            await post("/fill-mask", inputs=f"the {SECRET} [MASK]", preset="other"),
        ]
    assert statuses == [200, 422, 422, 200, 422, 404, 404, 500]
    logged = capfd.readouterr()
    assert logged.out == ""
    assert "request_failed" in logged.err
    assert "builtins.RuntimeError" in logged.err
    assert SECRET not in logged.err
    assert KEY not in logged.err


async def test_debug_shows_what_an_error_says(
    store: FakeStore, serve: Any, read_log: Callable[[], Any]
) -> None:
    """Whoever looks for a fault may ask for it."""
    configure_logs(Settings(log_level="debug"))
    store.engines["tiny"] = FakeEngine(answer=fail)
    async with serve(store) as client:
        await client.post("/fill-mask", json={"inputs": "the [MASK]"})
    [failed] = [event for event in read_log() if event["event"] == "engine_failed"]
    assert f"RuntimeError: {SECRET}" in failed["exception"]


async def test_error_that_nobody_awaited_is_logged_without_its_message(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Asyncio would write the task below its sentence, and the error in the task."""
    gc.collect()  # what other tests have left is none of it
    configure_logs(Settings())
    future = asyncio.get_running_loop().create_future()
    future.set_exception(RuntimeError(SECRET))
    del future
    gc.collect()
    event = json.loads(capfd.readouterr().err)
    assert event["event"] == "Future exception was never retrieved"
    assert SECRET not in json.dumps(event)


def test_traceback_names_places_and_classes() -> None:
    """Of the error, of what led to it, and of those in a group; of none of them twice."""
    cause = ValueError(SECRET)
    cause.__context__ = KeyError(SECRET)
    group = ExceptionGroup(SECRET, [cause, OSError(SECRET)])
    group.__cause__ = cause
    cause.__cause__ = group
    try:
        raise group
    except ExceptionGroup as error:
        text = format_traceback((type(error), error, error.__traceback__))
    assert re.findall(r"^builtins\.(\w+)$", text, re.MULTILINE) == [
        "ValueError",
        "OSError",
        "ExceptionGroup",
    ]
    assert "in test_traceback_names_places_and_classes" in text
    assert SECRET not in text


def test_error_raised_from_none_stands_alone() -> None:
    """As Python shows it."""
    error = RuntimeError()
    error.__context__ = KeyError()
    assert "KeyError" in format_traceback((RuntimeError, error, None))
    error.__suppress_context__ = True
    assert "KeyError" not in format_traceback((RuntimeError, error, None))


@pytest.mark.parametrize("error", [httpx.ReadError(SECRET)])
def test_class_is_named_with_its_module(error: Exception) -> None:
    """So that it can be found."""
    described = format_traceback((type(error), error, None))
    assert described.splitlines()[-1] == "httpx.ReadError"

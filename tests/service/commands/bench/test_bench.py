"""`fillmask bench`: a line for each way to ask, on a model whose engine is none."""

import io
import json
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from fakes import FakeStore, make_preset
from service.commands.ask import question
from service.commands.bench import bench as command
from service.commands.bench import loopback
from service.commands.bench.bench import draw
from service.commands.bench.loopback import callers, serving
from service.commands.bench.rate import measure
from service.commands.cli import app
from service.commands.sentences import CommandError

SERVER = textwrap.dedent("""
    import json, os, sys
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        ready = 0

        def do_GET(self):
            Handler.ready += 1
            self.answer(200 if Handler.ready > 1 else 503)

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.answer(200 if body["inputs"] == "[MASK]" else 422)

        def answer(self, status):
            keys = [name for name in os.environ if name.startswith("FILLMASK_API_KEY")]
            content = json.dumps({"error": f"Refused: {keys}."}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    assert os.environ["FILLMASK_DEFAULT_PRESET"] == "tiny"
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["FILLMASK_PORT"])), Handler).serve_forever()
""")


def python(program: str) -> list[str]:
    """Return the command that runs a program."""
    return [sys.executable, "-c", program]


def test_every_way_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone, one text and many at a time; over HTTP, one caller and many."""
    monkeypatch.setattr(question, "create_store", lambda _: FakeStore([make_preset("tiny")]))

    @contextmanager
    def serve(preset: str) -> Any:
        with serving(preset, python(SERVER)) as port:
            yield port

    monkeypatch.setattr(command, "serving", serve)
    monkeypatch.setattr(command, "_TEXTS", ("[MASK]",) * 2)
    words = ["bench", "--preset", "tiny", "--seconds", "0.01"]
    told = CliRunner().invoke(app, words, prog_name="fillmask")
    assert told.exit_code == 0, told.output
    report = json.loads(told.stdout)
    assert report["preset"] == "tiny"
    assert [each["texts"] for each in report["alone"]] == [1, 32]
    assert [each["callers"] for each in report["http"]] == [1, 16]
    for each in report["alone"] + report["http"]:
        assert each["texts_per_s"] > 0
        assert 0 < each["p50_ms"] <= each["p99_ms"]


def test_people_get_a_table() -> None:
    """A line for each."""
    rate = {"callers": 16, "texts": 32, "texts_per_s": 1234.5, "p50_ms": 1.0, "p99_ms": 2.0}
    facts = {"preset": "tiny", "engine": "openvino", "precision": "bfloat16"}
    screen = io.StringIO()
    Console(file=screen, width=80).print(*draw({**facts, "alone": [rate], "http": [rate]}))
    title, _, alone, http = (line.split() for line in screen.getvalue().splitlines())
    assert title == ["tiny", "on", "openvino", "in", "bfloat16"]
    assert alone == ["alone,", "32", "at", "a", "time", "1,234", "1.00", "2.00"]
    assert http[:3] == ["HTTP,", "16", "callers"]


def test_rate_is_that_of_all_callers() -> None:
    """Each calls at least once, and once before."""
    called: list[int] = []
    rate = measure([lambda: called.append(1), lambda: called.append(2)], 3, seconds=0.0)
    assert sorted(called) == [1, 1, 2, 2]
    assert (rate.callers, rate.texts) == (2, 3)


def test_what_the_server_refuses_ends_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its sentence; it has no keys that a caller would need."""
    monkeypatch.setenv("FILLMASK_API_KEYS", "a")
    with (
        serving("tiny", python(SERVER)) as port,
        callers(port, {"inputs": "no mask"}, 1) as [caller],
        pytest.raises(CommandError, match=r"^Refused: \[\]\.$"),
    ):
        caller()


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("print('one', flush=True)\nraise SystemExit('It is broken.')", "It is broken."),
        ("", "it said nothing"),
    ],
)
def test_server_that_ends_says_why(program: str, reason: str) -> None:
    """Its last line is the reason."""
    with pytest.raises(CommandError, match=reason), serving("tiny", python(program)):
        pass


def test_server_that_is_never_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while."""
    monkeypatch.setattr(loopback, "_START_TIMEOUT_S", 0.0)
    with (
        pytest.raises(CommandError, match="The server did not start"),
        serving("tiny", python("import time; time.sleep(60)")),
    ):
        pass


def test_what_serves_is_the_command() -> None:
    """Of this very package."""
    assert loopback.SERVE[1:] == ("-m", "service.commands", "serve")
    assert Path(loopback.SERVE[0]).samefile(sys.executable)


def test_caller_who_fails_ends_the_measurement() -> None:
    """The others wait for nobody."""
    left = [1]  # each calls twice, however slow it is
    with pytest.raises(IndexError):
        measure([lambda: None, left.pop], 1, seconds=0.2)

"""What people see who start a server by hand, and that nobody else sees any of it."""

import io
import logging
import sys
import threading

import pytest

from fakes import FakeStore, Gate
from model_store.errors import ModelLoadError
from model_store.loading.load_news import LoadNews
from service.settings import Settings
from service.telemetry.logs import configure_logs
from service.telemetry.terminal import Terminal, write_address

_PATIENCE_S = 120


class Screen(io.StringIO):
    """A terminal that remembers what was written to it."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.has_ticked = threading.Event()

    def isatty(self) -> bool:
        """Say that somebody is looking."""
        return True

    def write(self, text: str) -> int:
        """Remember, and say when time is shown."""
        if "00:" in text and "00:00" not in text:
            self.has_ticked.set()
        return super().write(text)


def see(text: str) -> list[str]:
    """Return the lines that are left on a screen: each return overwrites its line."""
    lines = []
    for line in text.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


def test_work_is_shown_until_it_is_over() -> None:
    """On one line, which is wiped."""
    screen = Screen()
    terminal = Terminal(screen, tick_s=3600)
    terminal.show("converting")
    assert see(screen.getvalue()) == ["converting (00:00) ..."]
    terminal.show("measuring")
    assert see(screen.getvalue()) == ["measuring (00:00) ..."]
    terminal.clear()
    terminal.clear()
    assert see(screen.getvalue()) == [""]


def test_time_of_the_work_is_shown() -> None:
    """As it passes."""
    screen = Screen()
    terminal = Terminal(screen, tick_s=0.01)
    terminal.show("converting")
    assert screen.has_ticked.wait(_PATIENCE_S)
    terminal.clear()
    assert see(screen.getvalue()) == [""]


def test_events_stand_above_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both can be read."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    configure_logs(Settings(log_format="json"))
    terminal = Terminal()
    terminal.show("converting")
    logging.getLogger("service").info("something")
    event, shown = see(screen.getvalue())
    assert '"event":"something"' in event
    assert shown.startswith("converting (")
    terminal.clear()


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104
        ("::", "http://[::1]:8000"),
        ("fillmask.example", "http://fillmask.example:8000"),
    ],
)
def test_address_is_one_to_open(host: str, address: str) -> None:
    """Not the one that means all of them."""
    assert write_address(Settings(host=host)) == address
    assert write_address(Settings(host=host, root_path="/bert")) == f"{address}/bert"


async def test_start_shows_its_work_and_then_the_address(
    store: FakeStore, serve: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever started the server knows where to go, and when."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    store.news["tiny"] = [LoadNews("converting", "tiny is converted")]
    async with serve(store, preload=True) as client:  # type: ignore[operator]
        assert (await client.get("/readyz")).status_code == 200
    assert "tiny is converted (00:00)" in screen.getvalue()
    last = [line for line in see(screen.getvalue()) if line][-1]
    assert last == "fillmask is ready at http://127.0.0.1:8000; Ctrl-C ends it."


async def test_address_of_a_server_that_is_not_ready_is_not_shown(
    store: FakeStore, serve: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says why."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    store.errors["tiny"] = ModelLoadError("Mend it.")
    with Gate() as gate:
        store.gates["other"] = gate
        async with serve(store, preload=True, pinned_presets=("other",)):  # type: ignore[operator]
            await gate.reached()  # so the default one has failed before
            gate.open()
    assert "ready at" not in screen.getvalue()


async def test_nothing_is_shown_where_nobody_looks(
    store: FakeStore, serve: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line of a log that is collected is an event."""
    store.news["tiny"] = [LoadNews("converting", "tiny is converted")]
    configure_logs(Settings())
    async with serve(store, preload=True) as client:  # type: ignore[operator]
        assert (await client.get("/readyz")).status_code == 200
    assert all(line.startswith("{") for line in capsys.readouterr().err.splitlines())

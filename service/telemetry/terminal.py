"""What people see who start a server by hand: what it is doing, and where it answers.

Only on a terminal; elsewhere the log says it all.
"""

import sys
import threading
from typing import TextIO

from tqdm import tqdm

from service.settings import Settings

_TICK_S = 1.0
_FORMAT = "{desc} ({elapsed}) ..."


class Terminal:
    """The standard error of this process, if somebody is looking at it."""

    def __init__(self, stream: TextIO | None = None, tick_s: float = _TICK_S) -> None:
        """Write to a stream; a line on it shows another time after so many seconds."""
        self._stream = stream or sys.stderr
        self._tick_s = tick_s
        self._is_seen = not self._stream.closed and self._stream.isatty()
        self._bar: tqdm[None] | None = None
        self._is_over = threading.Event()

    def show(self, sentence: str) -> None:
        """Show what is being done, and for how long, until something else is or it is over."""
        if not self._is_seen:
            return
        self.clear()
        self._is_over = threading.Event()
        self._bar = tqdm(desc=sentence, bar_format=_FORMAT, file=self._stream, leave=False)
        self._ticking = threading.Thread(
            target=_tick,
            args=(self._bar, self._is_over, self._tick_s),
            name="terminal",
            daemon=True,
        )
        self._ticking.start()

    def clear(self) -> None:
        """Wipe what is shown."""
        self._is_over.set()
        if self._bar is not None:
            self._ticking.join()  # else it could show it once more
            self._bar.close()
            self._bar = None

    def announce(self, settings: Settings) -> None:
        """Say where the server answers."""
        if self._is_seen:
            self._stream.write(f"fillmask is ready at {write_address(settings)}; Ctrl-C ends it.\n")
            self._stream.flush()


def write_address(settings: Settings) -> str:
    """Return the address to open: where a server listens everywhere, that of this machine.

    With the prefix under which a proxy offers it, for here it can be had under that too.
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # nosec B104
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{settings.port}{settings.root_path}"


def _tick(bar: "tqdm[None]", is_over: threading.Event, tick_s: float) -> None:
    while not is_over.wait(tick_s):
        bar.refresh()

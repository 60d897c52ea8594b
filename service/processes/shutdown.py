"""The end of a process: announced before it comes, and certain once it is announced."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

LOST_WORK = 1
"""The exit status of a process that was ended by force."""


@contextmanager
def announced_end(
    close: Callable[[], None], *, notice_s: float, timeout_s: float
) -> Iterator[None]:
    """Hear SIGTERM before the server does, for the length of a block.

    The signal makes the server refuse new work while it still takes connections, so that a
    balancer can look elsewhere. The server hears of it when the notice is over. A second signal
    reaches it at once.

    Args:
        close: makes the server refuse new work.
        notice_s: seconds between the signal and the server's hearing of it.
        timeout_s: seconds between the signal and the end of the process, whatever hangs.
    """
    server_hears = signal.getsignal(signal.SIGTERM)
    if not callable(server_hears) or threading.current_thread() is not threading.main_thread():
        yield  # no server waits for signals: an application that is tested, or Ray's
        return
    loop = asyncio.get_running_loop()

    def hear(number: int, _: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, server_hears)
        close()
        _end_after(timeout_s)
        loop.call_soon_threadsafe(loop.call_later, notice_s, server_hears, number, None)

    signal.signal(signal.SIGTERM, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, server_hears)


def exit_well_on_sigterm() -> None:
    """Make SIGTERM an end like any other: uvicorn raises it again when all is answered."""

    def leave(_: int, __: FrameType | None) -> NoReturn:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)


def _end_after(seconds: float) -> None:
    """End the process then: a thread that is stuck in an engine cannot be ended by itself."""
    timer = threading.Timer(seconds, os._exit, (LOST_WORK,))
    timer.daemon = True
    timer.start()

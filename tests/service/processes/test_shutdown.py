"""The end of a process: announced, then waited for, then certain."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from service.processes import shutdown
from service.processes.shutdown import announced_end, exit_well_on_sigterm


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """Return the signals that a server heard, with the server's handler in place."""
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    yield heard
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(autouse=True)
def forced(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Return what is set where the process would end by force."""
    ended = threading.Event()

    def leave(status: int) -> None:
        assert status == shutdown.LOST_WORK
        ended.set()

    monkeypatch.setattr("os._exit", leave)
    return ended


def terminate() -> None:
    """Send this process the signal, which is heard before this returns."""
    signal.raise_signal(signal.SIGTERM)


async def test_new_work_is_refused_before_the_server_hears(heard: list[int]) -> None:
    """Then it hears, once the notice is over."""
    closed: list[bool] = []
    with announced_end(lambda: closed.append(True), notice_s=0.01, timeout_s=60):
        terminate()
        assert (closed, heard) == ([True], [])
        while not heard:  # noqa: ASYNC110  # no event: a signal handler is called
            await asyncio.sleep(0.001)
    assert heard == [signal.SIGTERM]


async def test_second_signal_leaves_the_notice_out(heard: list[int]) -> None:
    """Whoever is in a hurry says so twice."""
    with announced_end(lambda: None, notice_s=60, timeout_s=60):
        terminate()
        terminate()
        assert heard == [signal.SIGTERM]


async def test_process_ends_whatever_hangs(heard: list[int], forced: threading.Event) -> None:
    """An engine that is stuck does not hold it."""
    with announced_end(lambda: None, notice_s=60, timeout_s=0.001):
        terminate()
        assert await asyncio.to_thread(forced.wait, 20)
    assert heard == []


async def test_signal_is_the_servers_again_afterwards(heard: list[int]) -> None:
    """A block that has ended hears nothing."""
    with announced_end(lambda: None, notice_s=60, timeout_s=60):
        pass
    terminate()
    assert heard == [signal.SIGTERM]


async def test_application_without_a_server_hears_nothing() -> None:
    """Tests and tools that run an application keep their signals."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with announced_end(lambda: None, notice_s=0, timeout_s=60):
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_signal_that_comes_again_at_the_end_is_no_failure(heard: Any) -> None:
    """The exit status is that of work well done."""
    del heard
    exit_well_on_sigterm()
    with pytest.raises(SystemExit) as ended:
        terminate()
    assert ended.value.code == 0

"""The bond between a process and the one that started it."""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from multiprocessing import resource_tracker

_INTERRUPT = {signal.SIGINT}


@contextmanager
def starting_children() -> Iterator[None]:
    """Keep Ctrl-C from processes that are started in a block, until they hear interrupts again.

    A terminal sends it to all of them at once. A Python that has just started would answer with a
    traceback, wherever its imports are.
    """
    # It starts with the first child, and unblocks what was blocked.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def hear_interrupts() -> None:
    """Let a process that was started so hear Ctrl-C from now on, by what handles it by now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)


def end_with_parent() -> None:
    """Make this process, which `multiprocessing` started, end as soon as its parent has ended.

    A parent that is killed can end nobody itself. What is left then waits for work that never
    comes, and nothing here is worth keeping: so no farewell either.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        _end_after(parent.join)


def end_with_stdin() -> None:
    """Make this process, which any other one started, end as soon as its standard input is closed.

    Whoever holds the other end of that pipe closes it by ending, however that comes.
    """
    # Without a buffer: its lock, held by a thread that waits, would stop the interpreter's end.
    stdin = FileIO(0, closefd=False)
    _end_after(stdin.readall)


def _end_after(wait: Callable[[], object]) -> None:
    def wait_and_end() -> None:
        wait()
        signal.raise_signal(signal.SIGKILL)

    threading.Thread(target=wait_and_end, name="parent watch", daemon=True).start()

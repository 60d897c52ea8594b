"""The bond between a process and the one that started it."""

import multiprocessing
import signal
import threading
from collections.abc import Callable
from io import FileIO


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

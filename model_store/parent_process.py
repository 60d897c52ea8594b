"""The bond between a process and the one that started it."""

import multiprocessing
import signal
import threading


def end_with_parent() -> None:
    """Make this process, which `multiprocessing` started, end as soon as its parent has ended.

    A parent that is killed can end nobody itself. What is left then waits for work that never
    comes, and nothing here is worth keeping: so no farewell either.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait_and_end() -> None:
        parent.join()
        signal.raise_signal(signal.SIGKILL)

    threading.Thread(target=wait_and_end, name="parent watch", daemon=True).start()

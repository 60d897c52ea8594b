"""How much memory a server takes: on the card where there is one, else in its processes."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.servers import list_session

_MIB = 2**20
_PAUSE_SECONDS = 0.25


def read_card() -> int | None:
    """Return the bytes taken on the first card, or None where no driver is seen."""
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return None
    result = subprocess.run(  # nosec B603  # the driver's own program
        [smi, "--query-gpu=memory.used", "--format=csv,noheader,nounits"],
        capture_output=True,
        text=True,
        check=False,
    )
    first = result.stdout.partition("\n")[0].strip()
    return int(first) * _MIB if first.isdigit() else None


def read_processes(session: int) -> int:
    """Return the bytes that the processes of a session hold."""
    pages = 0
    for pid in list_session(session):
        with suppress(OSError):
            pages += int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def watched(read: Callable[[], int]) -> Iterator[list[int]]:
    """Read again and again meanwhile; the list holds the most that was seen."""
    most, is_over = [read()], threading.Event()

    def watch() -> None:
        while not is_over.wait(_PAUSE_SECONDS):
            most[0] = max(most[0], read())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        is_over.set()
        thread.join()
        most[0] = max(most[0], read())

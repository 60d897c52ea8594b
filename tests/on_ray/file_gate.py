"""A gate that holds threads of other processes on this machine, too."""

import asyncio
import tempfile
import time
import uuid
from pathlib import Path
from typing import ClassVar, Self

_PATIENCE_S = 20.0
_LOOK_S = 0.005
_OPEN = "open"


class FileGate:
    """Does what `fakes.Gate` does; it can be pickled.

    Attributes:
        place: where the files of all gates lie; None is the usual place for what is temporary.
    """

    place: ClassVar[Path | None] = None

    def __init__(self) -> None:
        """Start shut."""
        self._directory = Path(tempfile.mkdtemp(prefix="gate-", dir=self.place))
        self._seen = 0

    def pass_through(self) -> None:
        """Wait, in a thread, until the gate is open."""
        (self._directory / uuid.uuid4().hex).touch()
        deadline = time.monotonic() + _PATIENCE_S
        while not (self._directory / _OPEN).exists():
            if time.monotonic() > deadline:
                message = "nobody opened the gate"
                raise TimeoutError(message)
            time.sleep(_LOOK_S)

    async def reached(self) -> None:
        """Wait until one more thread has come, or came before."""
        self._seen += 1
        async with asyncio.timeout(_PATIENCE_S):
            while len(list(self._directory.iterdir())) < self._seen:  # noqa: ASYNC110  # files
                await asyncio.sleep(_LOOK_S)

    def open(self) -> None:
        """Let everybody through, now and later."""
        (self._directory / _OPEN).touch()

    def __enter__(self) -> Self:
        """Guard a block, so that no thread stays held when a test fails in it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let everybody through."""
        self.open()

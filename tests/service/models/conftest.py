"""What the tests of this room share."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cache_callers import Load
from fakes import HeldCalls, Lessee


@pytest.fixture
def load() -> Load:
    """Return a loader that waits for the test."""
    return HeldCalls()


@pytest.fixture
async def callers() -> AsyncIterator[list[Lessee]]:
    """Return a list of callers; they leave at the end."""
    callers: list[Lessee] = []
    yield callers
    for caller in callers:
        caller.task.cancel()
    await asyncio.gather(*(caller.task for caller in callers), return_exceptions=True)

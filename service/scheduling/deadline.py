"""How long somebody waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.errors.exceptions import DeadlineExceededError


@dataclass(slots=True)
class Wait:
    """What a block waits for: `loading` is the preset that is not loaded yet, if it is that."""

    loading: str | None = None


@asynccontextmanager
async def deadline(timeout_s: float) -> AsyncIterator[Wait]:
    """Give a block up after so many seconds; it may note what it waits for.

    Raises:
        DeadlineExceededError: they have passed.
    """
    wait = Wait()
    try:
        async with asyncio.timeout(timeout_s) as scope:
            yield wait
    except TimeoutError:
        if scope.expired():
            raise DeadlineExceededError(timeout_s, wait.loading) from None
        raise

"""How long somebody waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.errors import DeadlineExceededError


@asynccontextmanager
async def deadline(timeout_s: float) -> AsyncIterator[None]:
    """Give a block up after so many seconds.

    Raises:
        DeadlineExceededError: they have passed.
    """
    try:
        async with asyncio.timeout(timeout_s) as scope:
            yield
    except TimeoutError:
        if scope.expired():
            raise DeadlineExceededError(timeout_s) from None
        raise

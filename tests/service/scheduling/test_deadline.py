"""A block is given up in time, and what else it raises is left as it is."""

import asyncio

import pytest

from service.errors.exceptions import DeadlineExceededError
from service.scheduling.deadline import deadline


async def test_block_that_takes_too_long_is_given_up() -> None:
    """The sentence names the limit."""
    with pytest.raises(DeadlineExceededError, match=r"0\.01 seconds"):
        async with deadline(0.01):
            await asyncio.Event().wait()


async def test_time_that_ran_out_elsewhere_is_not_this_deadline() -> None:
    """Whoever raised it knows what it means."""
    with pytest.raises(TimeoutError, match="elsewhere"):
        async with deadline(60):
            raise TimeoutError("elsewhere")  # noqa: EM101  # no sentence for anybody

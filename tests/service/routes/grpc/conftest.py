"""A server that is called by gRPC."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from fakes import FakeStore
from grpc_calls import Caller, open_caller


@pytest.fixture
async def caller(store: FakeStore, serve: Any) -> AsyncIterator[Caller]:
    """Return a caller of a server with the default limits."""
    async with open_caller(serve, store) as caller:
        yield caller

"""What the tests of this room share."""

import pytest

from batcher_runs import Run
from fakes import HeldCalls


@pytest.fixture
def run() -> Run:
    """Return an engine that waits for the test."""
    return HeldCalls()

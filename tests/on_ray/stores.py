"""Stores that replicas create by themselves."""

from fakes import FakeStore, make_preset
from service.settings import Settings


def create_fake_store(_settings: Settings) -> FakeStore:
    """Return the store of the fixture `store`."""
    return FakeStore(map(make_preset, ("tiny", "other", "third")))

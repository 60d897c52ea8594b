"""Who uses a cache in its tests, and what it loads."""

from fakes import FakeModel, HeldCalls, settle
from service.models.model_cache import ModelCache

Load = HeldCalls[str, FakeModel]


async def load_at_once(name: str) -> FakeModel:
    """Load a model of one byte."""
    return FakeModel(name)


async def use(cache: ModelCache[FakeModel], *names: str) -> None:
    """Lease models, one after the other, and give each back."""
    for name in names:
        async with cache.lease(name):
            pass
        await settle()

"""The presets of this installation, as the settings name them."""

from model_store.store import ModelStore
from service.settings import Settings


def create_store(settings: Settings) -> ModelStore:
    """Return the store that the settings describe."""
    return ModelStore(
        settings.model_store_dir,
        offline=settings.offline,
        engine=settings.engine_options,
        allowed=settings.presets,
    )

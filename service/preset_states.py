"""How every preset stands: what the store lists, joined with what the cache holds."""

import asyncio

from model_store.store import ModelStore, Preset
from service.model_cache import ModelCache
from service.schemas import PresetInfo
from service.served_model import ServedModel


class PresetStates:
    """Describes presets."""

    def __init__(self, store: ModelStore, models: ModelCache[ServedModel]) -> None:
        """Look at a store and a cache."""
        self._store = store
        self._models = models

    async def describe_all(self) -> list[PresetInfo]:
        """Return every preset in the store's order.

        The store reads a directory, so in a thread; the cache belongs to the event loop.
        """
        presets = await asyncio.to_thread(self._store.presets)
        ready, failures = self._models.ready(), self._models.failures()
        return [
            self._describe(preset, ready.get(preset.name), failures.get(preset.name))
            for preset in presets
        ]

    def _describe(
        self, preset: Preset, served: ServedModel | None, failure: Exception | None
    ) -> PresetInfo:
        facts = served.model.facts if served else None
        info = PresetInfo(
            name=preset.name,
            description=preset.description,
            parameters=facts.parameters if facts else preset.parameters,
            source=preset.source,
            state="available",
            head="missing" if preset.no_head and not preset.directory else "unproven",
            engine=served.model.engine if served else None,
            precision=facts.precision if facts else None,
            bytes=facts.nbytes if facts else None,
            error=None if preset.directory else preset.no_head,
        )
        if served:
            info.state = "ready"
        elif preset.name in self._models:
            info.state = "loading"
        elif failure:
            info.state, info.error = "failed", str(failure)
        return info

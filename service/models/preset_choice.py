"""Which presets a caller may name: what can never answer here is the caller's wrong choice."""

import asyncio
from collections.abc import Collection

from model_store.errors import HeadMissingError, PresetUnavailableError
from model_store.store import ModelStore
from service.errors.exceptions import PresetUnusableError


class PresetChoice:
    """Judges the names of presets.

    Those that the settings name are never a caller's choice: if one of them is of no use, its load
    fails, and that is the server's error.
    """

    def __init__(self, store: ModelStore, configured: Collection[str]) -> None:
        """Look into a store; `configured` are the names in the settings."""
        self._store = store
        self._configured = frozenset(configured)

    async def require(self, name: str) -> None:
        """Let a name through only if it is a preset's that could be loaded.

        Raises:
            PresetNotFoundError: there is none of that name.
            PresetUnusableError: it can never be loaded, as things are set here.
        """
        await asyncio.to_thread(self._require, name)

    def _require(self, name: str) -> None:
        try:
            self._store.require_obtainable(name)
        except (HeadMissingError, PresetUnavailableError) as error:
            if name not in self._configured:
                raise PresetUnusableError(str(error)) from error

"""Loading and unloading presets by hand."""

from typing import Protocol

from model_store.errors import PresetNotFoundError
from service.models.preset_choice import PresetChoice
from service.models.preset_info import PresetInfo
from service.scheduling.deadline import deadline

_UNLOADED = {
    "state": "failed",
    "pinned": False,
    "engine": None,
    "precision": None,
    "agreement": None,
    "bytes": None,
    "error": "Its files are gone from the store, so it cannot be loaded again; put them back.",
}


class PresetBoard(Protocol):
    """What knows how every preset stands."""

    async def describe_all(self) -> list[PresetInfo]:
        """Return every preset in the store's order."""
        ...


class LoadableModels(Protocol):
    """Models that come and go when somebody says so."""

    def __contains__(self, name: str) -> bool:
        """Say whether a name is known to be a preset's, without a look at the store."""
        ...

    async def load(self, name: str, *, reload: bool = False, pin: bool | None = None) -> None:
        """Have a model loaded, anew with `reload`; `pin` says whether it stays for good."""
        ...

    async def unload(self, name: str) -> None:
        """Give a model up, and wait until nobody uses it."""
        ...


class PresetControl:
    """Loads and unloads presets, and says how they stand then."""

    def __init__(
        self,
        choice: PresetChoice,
        models: LoadableModels,
        states: PresetBoard,
        timeout_s: float,
    ) -> None:
        """Wait so long for each; what takes longer goes on."""
        self._choice = choice
        self._models = models
        self._states = states
        self._timeout_s = timeout_s

    async def load(self, name: str, *, reload: bool, pin: bool | None) -> PresetInfo:
        """Have a preset loaded, as `LoadableModels` does.

        Raises:
            DeadlineExceededError: it is not loaded in time.
            ModelStoreError: there is no such preset, or it cannot be loaded.
        """
        async with deadline(self._timeout_s) as wait:
            if name not in self._models:
                await self._choice.require(name)
            wait.loading = name
            await self._models.load(name, reload=reload, pin=pin)
            wait.loading = None
            return await self.describe(name)

    async def unload(self, name: str) -> PresetInfo:
        """Give the model of a preset up, and wait until nobody uses it.

        Raises:
            DeadlineExceededError: somebody uses it for longer than that.
            PresetNotFoundError: there is no such preset.
        """
        async with deadline(self._timeout_s):
            # One that is loaded may be gone from the store: its memory is still to be had.
            before = await self.describe(name)
            await self._models.unload(name)
            try:
                return await self.describe(name)
            except PresetNotFoundError:
                return before.model_copy(update=_UNLOADED)

    async def describe(self, name: str) -> PresetInfo:
        """Say how a preset stands.

        Raises:
            PresetNotFoundError: there is no such preset.
        """
        for preset in await self._states.describe_all():
            if preset.name == name:
                return preset
        message = "There is no preset of that name; GET /presets lists those there are."
        raise PresetNotFoundError(message)

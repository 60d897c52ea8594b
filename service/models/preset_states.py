"""How every preset stands: what the store lists, joined with what the cache holds."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Literal

from model_store.loading.proving.head_proof import HeadProof
from model_store.store import ModelStore, Preset
from service.models.model_cache import ModelCache
from service.models.preset_info import CandidateInfo, HeadProofInfo, PresetInfo
from service.models.served_model import ServedModel

LOST = "Its files are gone from the store; it answers until it is unloaded."
State = Literal["available", "downloading", "loading", "ready", "failed"]


class PresetStates:
    """Describes presets."""

    def __init__(
        self,
        store: ModelStore,
        models: ModelCache[ServedModel],
        downloading: Callable[[], Collection[str]] = frozenset,
        configured: Collection[str] = (),
    ) -> None:
        """Look at a store, a cache, and the names whose files are being fetched.

        `configured` are the names that the settings have.
        """
        self._configured = configured
        self._store = store
        self._models = models
        self._downloading = downloading

    async def describe_all(self) -> list[PresetInfo]:
        """Return every preset in the store's order.

        The store reads a directory, so in a thread; the cache belongs to the event loop.
        """
        presets = await asyncio.to_thread(self._read_all)
        ready, failures = self._models.ready(), self._models.failures()
        listed = [
            self._describe(preset, proof, ready.pop(preset.name, None), failures.get(preset.name))
            for preset, proof in presets
        ]
        return listed + [self._describe(_lost(name), None, ready[name], None) for name in ready]

    def states(self) -> dict[str, State]:
        """Return how all stand that are, were or are to be loaded, without a look at files."""
        names = {*self._configured, *self._models.names(), *self._models.failures()}
        return {name: self._state_of(name) for name in sorted(names)}

    def _state_of(self, name: str) -> State:
        if name in self._models.ready():
            return "ready"
        if name in self._downloading():
            return "downloading"
        if name in self._models:
            return "loading"
        return "failed" if name in self._models.failures() else "available"

    def _read_all(self) -> list[tuple[Preset, HeadProof | None]]:
        """Return every preset, its family as its files say it, with the proof of its head."""
        return [
            (replace(preset, family=preset.read_family()), preset.read_proof())
            for preset in self._store.presets()
        ]

    def _describe(
        self,
        preset: Preset,
        proof: HeadProof | None,
        served: ServedModel | None,
        failure: Exception | None,
    ) -> PresetInfo:
        facts = served.model.facts if served else None
        info = PresetInfo(
            name=preset.name,
            description=preset.description,
            parameters=facts.parameters if facts else preset.parameters,
            family=(facts and facts.family) or preset.family,
            source=preset.source,
            state=self._state_of(preset.name),
            pinned=preset.name in self._models.pinned(),
            head=_judge_head(preset, proof),
            head_proof=HeadProofInfo.model_validate(proof) if proof else None,
            engine=served.model.engine if served else None,
            precision=facts.precision if facts else None,
            agreement=facts.agreement if facts else None,
            candidates=[CandidateInfo.model_validate(c) for c in facts.candidates] if facts else [],
            bytes=facts.nbytes if facts else None,
            notice=facts.notice if facts else None,
            error=preset.unreadable or (None if preset.directory else preset.no_head),
        )
        if served and failure:
            info.error = f"It answers as before, for it could not be loaded anew: {failure}"
        elif info.state == "failed":
            info.error = str(failure)
        elif info.state == "available" and preset.unreadable:
            info.state = "failed"
        return info


def _lost(name: str) -> Preset:
    """Return what is left of a preset that is loaded and no more in the store."""
    return Preset(name, f"The files that were in {name}.", None, "directory", None, unreadable=LOST)


def _judge_head(
    preset: Preset, proof: HeadProof | None
) -> Literal["verified", "missing", "unproven"]:
    if preset.no_head and not preset.directory:
        return "missing"
    return "verified" if proof and proof.is_verified else "unproven"

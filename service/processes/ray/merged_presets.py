"""How presets stand in a cluster, from how they stand in each replica."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.processes.engine_process.frames import Described

_STATES = ("ready", "loading", "downloading", "failed", "available")
"""The one that tells most about what a request will meet comes first."""


def merge_states(replicas: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return, of each preset, the state that tells most."""
    names = sorted({name for states in replicas for name in states})
    return {
        name: min((s[name] for s in replicas if name in s), key=_STATES.index) for name in names
    }


def merge_presets(described: Sequence[Described]) -> Described:
    """Return each preset as the replica describes it where its state tells most."""
    merged: dict[str, dict[str, Any]] = {}
    for replica in described:
        for preset in replica.presets:
            seen = merged.setdefault(preset["name"], preset)
            if _rank(preset) < _rank(seen):
                merged[preset["name"]] = preset | {"pinned": preset["pinned"] or seen["pinned"]}
            elif preset["pinned"]:
                merged[preset["name"]] = seen | {"pinned": True}
    return Described(list(merged.values()))


def _rank(preset: Mapping[str, Any]) -> int:
    return _STATES.index(preset["state"])

"""What happens in a cache of models, told to who counts it and who logs it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class CacheEvent(StrEnum):
    """What happened in a cache."""

    HIT = "hit"
    MISS = "miss"
    EVICTION = "eviction"
    UNLOAD = "unload"
    LOAD = "load"
    FAILURE = "failure"
    PIN = "pin"
    UNPIN = "unpin"


@dataclass(frozen=True, slots=True)
class CacheRecord:
    """One event.

    Attributes:
        event: what happened.
        name: the model's.
        loaded_bytes: what is held after it.
        seconds: how long a load took, or went on until it failed.
        model: what was loaded.
        error: why a load failed.
        reason: why a model was evicted; words for a log.
    """

    event: CacheEvent
    name: str
    loaded_bytes: int
    seconds: float = 0.0
    model: Any = None
    error: Any = None
    reason: str | None = None

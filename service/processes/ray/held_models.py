"""What a replica says it holds, so that Serve sends it the calls for just that.

Our cache leads: it decides what is loaded and what makes room. Serve's own list of models, by which
it routes, is kept without a limit and follows the cache.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

_SERVES_LIST = "__serve_multiplex_wrapper"


def name_revision(preset: str, revision: bytes) -> str:
    """Return the id of a preset whose tokenizer is just this one."""
    return f"{preset}@{revision.hex()}"


class HeldModels:
    """Keeps the list by which Serve routes."""

    def __init__(self, owner: Any, announce: Callable[[str], Awaitable[str]]) -> None:
        """Keep the list of a replica, whose `announce` is what Serve counts models by."""
        self._owner = owner
        self._announce = announce

    async def add(self, model_id: str) -> None:
        """Put an id on the list."""
        await self._announce(model_id)

    async def set(self, model_ids: Iterable[str]) -> None:
        """Put these ids on the list, and take every other one off it."""
        wanted = set(model_ids)
        serves: Any = getattr(self._owner, _SERVES_LIST, None)
        listed = serves.models if serves else {}
        for model_id in wanted.difference(listed):
            await self._announce(model_id)
        # Serve has no word for this: it takes models off by itself, where there are too many.
        for model_id in set(listed) - wanted:
            del listed[model_id]
            serves._push_multiplexed_replica_info = True  # noqa: SLF001

"""What a cache holds under a name: a model, or the load of one, and who uses it."""

import asyncio
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Cacheable(Protocol):
    """What a cache can hold."""

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        ...

    async def close(self) -> None:
        """Give the memory back; nobody uses it any more."""
        ...


Model = TypeVar("Model", bound=Cacheable)


@dataclass(slots=True, eq=False)
class Entry(Generic[Model]):
    """A model, or the load of one.

    Attributes:
        name: the model's.
        loaded: what everybody waits for who wants the model.
        loader: what loads it, and makes room for it.
        has_begun: whether the load has left the line that loads stand in.
        pin: whether it may never make room for others; None while it is not loaded and nobody has
            said so.
        leases: how many use it.
        idle: set whenever the last of them has left.
    """

    name: str
    loaded: asyncio.Future[Model]
    loader: asyncio.Task[None] | None = None
    has_begun: bool = False
    pin: bool | None = None
    leases: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded."""
        return self.loaded.done() and not self.loaded.exception()

    async def close_idle(self) -> None:
        """Close the model when its last lease comes back."""
        if self.leases:
            await self.idle.wait()
        await self.loaded.result().close()

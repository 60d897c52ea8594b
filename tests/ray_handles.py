"""Serve's handles without Serve: calls go to replicas in this process, routed as Serve does."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from typing import Any, Self


class LocalCall:
    """A call under way: what Serve calls a response."""

    def __init__(self, work: Any) -> None:
        """Begin."""
        self.task = asyncio.ensure_future(work)

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait; who gives up waiting does not end the call, as with Serve."""
        return asyncio.shield(self.task).__await__()

    def cancel(self) -> None:
        """End the call."""
        self.task.cancel()


class LocalBroadcast:
    """Calls under way, one to each replica."""

    def __init__(self, works: Sequence[Any]) -> None:
        """Begin."""
        self._works = works

    async def results_async(self, *, return_exceptions: bool) -> list[Any]:
        """Wait for all."""
        return await asyncio.gather(*self._works, return_exceptions=return_exceptions)


class LocalHandle:
    """Calls one of several replicas: one that holds the model, the first if none does."""

    def __init__(
        self,
        replicas: Sequence[Any],
        holds: Callable[[Any, str], bool] = lambda _replica, _model_id: False,
    ) -> None:
        """Call replicas; `holds` says whether Serve knows that one holds a model."""
        self.replicas = replicas
        self.calls: list[LocalCall] = []
        self._holds = holds
        self._model_id: str | None = None

    def options(self, *, multiplexed_model_id: str) -> Self:
        """Return a handle for calls that are about a model."""
        handle = type(self)(self.replicas, self._holds)
        handle.calls, handle._model_id = self.calls, multiplexed_model_id
        return handle

    def broadcast(self, method: str, frame: bytes) -> LocalBroadcast:
        """Call all."""
        return LocalBroadcast([getattr(replica, method)(frame) for replica in self.replicas])

    def __getattr__(self, method: str) -> Any:
        """Return what calls a method of a replica."""
        return _Remote(self, method)

    def call(self, method: str, frame: bytes) -> LocalCall:
        """Call one."""
        wanted = self._model_id
        holders = [r for r in self.replicas if wanted and self._holds(r, wanted)]
        call = LocalCall(getattr((holders or self.replicas)[0], method)(frame))
        self.calls.append(call)
        return call


class _Remote:
    def __init__(self, handle: LocalHandle, method: str) -> None:
        self._handle, self._method = handle, method

    def remote(self, frame: bytes) -> LocalCall:
        return self._handle.call(self._method, frame)

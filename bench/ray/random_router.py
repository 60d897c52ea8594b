"""Routing that knows nothing of presets, for comparison."""

import random
from typing import Any

from ray.serve._private.request_router import RequestRouter


class RandomRouter(RequestRouter):
    """Sends a call to any replica, by chance."""

    async def choose_replicas(
        self, candidate_replicas: list[Any], pending_request: Any = None
    ) -> list[list[Any]]:
        """Return one of all."""
        if pending_request is not None:
            pending_request.routing_context.should_backoff = True
        if not candidate_replicas:
            return []
        return [[random.choice(candidate_replicas)]]  # noqa: S311  # nosec B311  # no secret

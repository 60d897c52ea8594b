"""Which route a request is for, as a label: its template, never the path, which a caller wrote."""

from typing import Protocol
from urllib.parse import quote

from starlette.routing import BaseRoute, Match
from starlette.types import Scope

UNKNOWN_ROUTE = "unknown"
"""The label of every path that is no route's, so that callers cannot add labels."""


class _RoutedApp(Protocol):
    @property
    def named_routes(self) -> list[BaseRoute]: ...


def route_of(scope: Scope) -> str | None:
    """Return the template of a request's route, or None where there is none.

    What is refused on the way to the routes was for one of them, too.
    """
    route = scope.get("route") or _find(scope["app"], scope)
    return getattr(route, "path_format", None)


def find_redirection(scope: Scope) -> str | None:
    """Return where a path leads that would be another route's with its slash less, or one more.

    Without scheme and host: whoever came through a proxy goes through it again.
    """
    path: str = scope["path"]
    other = path.rstrip("/") if path.endswith("/") else f"{path}/"
    # Two slashes would begin the name of a host.
    if other.startswith("//"):
        return None
    route = route_of({**scope, "path": other, "route": None})
    if route is None or route == route_of(scope):
        return None
    query = scope["query_string"].decode("latin-1")
    return quote(other) + (f"?{query}" if query else "")


def _find(app: _RoutedApp, scope: Scope) -> BaseRoute | None:
    """Return the route of a path and its method, or else the first of its path."""
    first = None
    for route in app.named_routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return route
        if match is Match.PARTIAL and first is None:
            first = route
    return first

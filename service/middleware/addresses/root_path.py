"""An ASGI middleware for a service that a proxy offers under a prefix of its paths."""

from starlette.types import ASGIApp, Receive, Scope, Send


class RootPathMiddleware:
    """Makes one of proxies that hand the prefix on, proxies that take it off, and callers without.

    All that looks at paths behind it sees the prefix in front of them, as ASGI has it, and asks
    `path_of` for the rest. So what a path opens never depends on how it was written.
    """

    def __init__(self, app: ASGIApp, *, root_path: str) -> None:
        """Wrap an application.

        Args:
            app: what answers.
            root_path: the prefix: a slash at its start and none at its end.
        """
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with the prefix once."""
        if scope["type"] == "http":
            scope = {**scope, "root_path": self._root_path, "path": self._lead(scope["path"])}
        await self._app(scope, receive, send)

    def _lead(self, path: str) -> str:
        """Return a path with the prefix in front; `*`, which is none, stays as it is."""
        is_led = f"{path}/".startswith(f"{self._root_path}/")
        return path if is_led or not path.startswith("/") else self._root_path + path


def path_of(scope: Scope) -> str:
    """Return the path below the prefix: what routes are found by, and so what rights go by."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))

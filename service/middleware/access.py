"""An ASGI middleware that lets in who has a key, before anything of a body is read."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors.exceptions import UnauthorizedError
from service.errors.table import error_response
from service.middleware.addresses.root_path import path_of
from service.middleware.api_keys import ApiKeys

_PROBES = frozenset(
    {
        "/health",
        "/healthz",
        "/readyz",
        "/metrics",
        "/v2/health/live",
        "/v2/health/ready",
        # A call of gRPC is a POST to the path of its method.
        "/inference.GRPCInferenceService/ServerLive",
        "/inference.GRPCInferenceService/ServerReady",
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
    }
)
_ADMIN = ("/presets/", "/v2/repository/", "/inference.GRPCInferenceService/Repository")
"""All that changes what is loaded lies below these paths."""

_PAGES = frozenset({"/", "/docs"})
_FILES = ("/page/", "/docs/")
"""What a browser loads before anybody can type a key: files of the program, the same everywhere."""

_LOOKING = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what.

    Attributes:
        callers: the keys that open the service; without one configured, it is open to all.
        admins: the keys that open what changes it, and the service too.
        are_probes_open: whether probes and metrics need no key.
    """

    callers: ApiKeys
    admins: ApiKeys
    are_probes_open: bool

    def judge(self, method: str, path: str, key: str) -> UnauthorizedError | None:
        """Say why a caller with a key is not let in at a path, if so."""
        if path.startswith(_ADMIN) and method not in _LOOKING:
            if self.admins.allows(key):
                return None
            hint = "" if self.admins.is_configured else ", once FILLMASK_ADMIN_KEYS has one"
            return UnauthorizedError(f"This takes an admin key; send one as a Bearer token{hint}.")
        if not self.callers.is_configured or self._is_open(method, path):
            return None
        if self.callers.allows(key) or self.admins.allows(key):
            return None
        return UnauthorizedError("This takes a key; send yours as `Authorization: Bearer KEY`.")

    def _is_open(self, method: str, path: str) -> bool:
        """Say whether a path needs no key where all others do."""
        is_page = path in _PAGES or path.startswith(_FILES)
        return (is_page and method in _LOOKING) or (self.are_probes_open and path in _PROBES)


class AccessMiddleware:
    """Answers 401 to who is not let in."""

    def __init__(self, app: ASGIApp, *, access: Access) -> None:
        """Wrap an application."""
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        header: bytes = dict(scope["headers"]).get(b"authorization", b"")
        key = read_bearer(header.decode("latin-1"))
        refusal = self._access.judge(scope["method"], path_of(scope), key)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await error_response(refusal)(scope, receive, send)


def read_bearer(header: str) -> str:
    """Return the key that `authorization` shows, or an empty string, which is none."""
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""

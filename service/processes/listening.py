"""How the server listens: the socket, and uvicorn, which answers on it."""

import errno
import os
import socket
import sys
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from service.middleware.connection import ConnectionLimits, LimitedConnection
from service.settings import Settings

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)
_BACKLOG = 2048
_WORKER_START_S = 60


class ListenError(Exception):
    """Nobody can listen there; the message says what to do."""


def listen(settings: Settings, host: str, port: int) -> socket.socket:
    """Listen at an address, before anything that takes long: whoever comes meanwhile waits.

    Raises:
        ListenError: it is taken, or not ours to take.
    """
    listener = _open(host, port, "--port or FILLMASK_PORT")
    listener.set_inheritable(True)  # workers take it over
    _LOG.info("listening", address=_write_address(host, listener.getsockname()[1]))
    if not (settings.api_keys or settings.api_keys_file or _is_loopback(host)):
        hint = "set FILLMASK_API_KEYS, or let only a private network reach it"
        _LOG.warning("open_to_all", host=host, hint=hint)
    return listener


def require_free(host: str, port: int) -> None:
    """Refuse a port for gRPC on which nobody can listen, before anything that takes long.

    Raises:
        ListenError: it is taken, or not ours to take.
    """
    _open(host, port, "FILLMASK_GRPC_PORT").close()


def serve_app(app: FastAPI, listener: socket.socket, settings: Settings) -> None:
    """Answer with an application in this process, until a signal says otherwise."""
    server = uvicorn.Server(uvicorn.Config(app, **uvicorn_options(settings)))
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    if not server.started:
        sys.exit(1)


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """Return what uvicorn is told beside where to listen."""
    limits = ConnectionLimits(
        max_header_bytes=settings.max_header_bytes,
        max_header_fields=settings.max_header_fields,
        max_connections=settings.max_connections,
        header_timeout_s=settings.header_timeout_s,
        answer_timeout_s=settings.request_timeout_s,
    )
    return {
        "http": partial(LimitedConnection, limits=limits),
        "timeout_keep_alive": settings.keep_alive_timeout_s,
        # On a busy machine one takes longer than uvicorn's 5 s to start, and would never be there.
        "timeout_worker_healthcheck": _WORKER_START_S,
        "log_config": None,  # it would undo ours
        "proxy_headers": False,  # it would believe any process of this machine; `App` does it
        "access_log": False,  # its lines quote paths
        "ws": "none",  # and so do those of WebSockets
        # asyncio may leak ids from one request of a connection to the next.
        "reset_contextvars": True,
    }


def _open(host: str, port: int, named_by: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ListenError(_explain(error, host, port, named_by)) from error


def _explain(error: OSError, host: str, port: int, named_by: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is in use; end what listens there, or name another one with "
            f"{named_by}."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} takes a privilege; name one above 1023 with {named_by}."
    number = error.errno or 0
    # Below zero are the numbers of who looks names up.
    if number == errno.EADDRNOTAVAIL or number < 0:
        return f"{host} is no address of this machine; name one with --host or FILLMASK_HOST."
    return f"Nobody can listen on port {port} of {host} ({os.strerror(number)}); name another."


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _write_address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

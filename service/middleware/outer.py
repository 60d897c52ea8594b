"""FastAPI, with middleware around all of it: answers to errors, of any kind, pass it too."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.utils import deep_dict_update
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service.middleware.addresses.root_path import RootPathMiddleware
from service.middleware.request_id import RequestIdMiddleware
from service.middleware.request_log import RequestLogMiddleware
from service.middleware.response_count import ResponseCountMiddleware
from service.middleware.security_headers import SecurityHeadersMiddleware
from service.settings import Settings


class App(FastAPI):
    """`add_middleware` puts it inside of what answers internal errors; this one goes outside."""

    def __init__(self, settings: Settings, shared_parts: dict[str, Any], **options: Any) -> None:
        """Create an application with FastAPI's options.

        Args:
            settings: how it behaves.
            shared_parts: those of its OpenAPI document that no route brings.
            options: FastAPI's.
        """
        super().__init__(**options)
        self._settings = settings
        self._shared_parts = shared_parts

    def openapi(self) -> dict[str, Any]:
        """Return what is told of the routes, and of what they share."""
        if self.openapi_schema is None:
            deep_dict_update(super().openapi(), self._shared_parts)
        return super().openapi()

    @property
    def named_routes(self) -> list[BaseRoute]:
        """Every route that has a path of its own, those of included routers too."""
        return list(_list_named(self.router))

    @property
    def paths(self) -> list[str]:
        """The templates of all routes."""
        return [route.path_format for route in self.named_routes]  # type: ignore[attr-defined]

    def build_middleware_stack(self) -> ASGIApp:
        """Return everything that a request goes through, the outermost first."""
        app = super().build_middleware_stack()
        if self._settings.cors_origins:
            app = CORSMiddleware(
                app,
                allow_origins=self._settings.cors_origins,
                allow_methods=["GET", "HEAD", "POST"],
                allow_headers=["*"],
                expose_headers=["*"],
            )
        app = ResponseCountMiddleware(app)
        app = RequestLogMiddleware(app, every_request=self._settings.access_log)
        app = RequestIdMiddleware(SecurityHeadersMiddleware(app))
        if self._settings.root_path:
            app = RootPathMiddleware(app, root_path=self._settings.root_path)
        if self._settings.trusted_proxies:
            # uvicorn has types of its own for the same protocol.
            proxies: Any = ProxyHeadersMiddleware
            app = proxies(app, list(self._settings.trusted_proxies))
        return app


def _list_named(router: APIRouter) -> Iterator[BaseRoute]:
    for route in router.routes:
        if hasattr(route, "path_format"):
            yield route
        else:  # stands for a router that was included
            yield from _list_named(route.original_router)  # type: ignore[attr-defined]

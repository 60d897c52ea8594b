"""FastAPI, with middleware around all of it: answers to errors, of any kind, pass it too."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.utils import deep_dict_update
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

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
        self._included: list[BaseRoute] = []
        super().__init__(**options)
        self._settings = settings
        self._shared_parts = shared_parts

    def include_router(self, router: APIRouter, **options: Any) -> None:
        """Add the routes of a router, and remember them."""
        super().include_router(router, **options)
        self._included += router.routes

    def openapi(self) -> dict[str, Any]:
        """Return what is told of the routes, and of what they share."""
        if self.openapi_schema is None:
            deep_dict_update(super().openapi(), self._shared_parts)
        return super().openapi()

    @property
    def named_routes(self) -> list[BaseRoute]:
        """Every route that has a path of its own; what stands for an included router has none."""
        routes = [*self.router.routes, *self._included]
        return [route for route in routes if hasattr(route, "path_format")]

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
        return RequestIdMiddleware(SecurityHeadersMiddleware(app))

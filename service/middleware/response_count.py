"""An ASGI middleware that counts every answer, those too that no route gives."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.middleware.addresses.route import UNKNOWN_ROUTE, route_of


class ResponseCountMiddleware:
    """Tells the metrics of the application the route and the status of each answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def count_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = route_of(scope) or UNKNOWN_ROUTE
                scope["app"].state.metrics.observe_response(route, message["status"])
            await send(message)

        await self._app(scope, receive, count_and_send)

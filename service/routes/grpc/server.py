"""The server of gRPC, on the event loop of the one of HTTP, and for as long as it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import structlog
from fastapi import FastAPI
from grpc_reflection.v1alpha import reflection, reflection_pb2

from service.middleware.access import Access
from service.routes.grpc import health, inference
from service.routes.grpc.calls import Calls
from service.settings import Settings

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)
_SERVICES = (inference.SERVICE, health.SERVICE, reflection.SERVICE_NAME)


@asynccontextmanager
async def serve_grpc(app: FastAPI, access: Access, settings: Settings) -> AsyncIterator[None]:
    """Answer calls for the length of a block; those under way at its end are answered.

    Args:
        app: whose parts answer.
        access: who may do what.
        settings: where it listens, and what is let in.
    """
    state = app.state
    calls = Calls(access, state.metrics, settings)
    service = inference.InferenceService(
        version=app.version,
        pipeline=state.pipeline,
        control=state.preset_control,
        states=state.preset_states,
        metrics=state.metrics,
        readiness=state.readiness,
    )
    watched = health.Health(state.readiness, _SERVICES)
    reflected = reflection.aio.ReflectionServicer(_SERVICES)
    path = f"/{reflection.SERVICE_NAME}/ServerReflectionInfo"
    handlers = {
        inference.SERVICE: service.handlers(calls),
        health.SERVICE: watched.handlers(calls),
        reflection.SERVICE_NAME: {
            "ServerReflectionInfo": calls.stream(
                path, reflection_pb2.ServerReflectionRequest, reflected.ServerReflectionInfo
            )
        },
    }
    server = grpc.aio.server(options=_options(settings))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(name, methods) for name, methods in handlers.items()]
    )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    port = server.add_insecure_port(f"{host}:{settings.grpc_port}")
    await server.start()
    _LOG.info("listening", address=f"grpc://{host}:{port}")
    try:
        yield
    finally:
        calls.end_streams()
        await server.stop(settings.shutdown_timeout_s)


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.max_body_bytes),
        ("grpc.max_metadata_size", settings.max_header_bytes),
        ("grpc.absolute_max_metadata_size", settings.max_header_bytes),
        ("grpc.max_allowed_incoming_connections", settings.max_connections),
        ("grpc.server_handshake_timeout_ms", round(1000 * settings.header_timeout_s)),
        # Several workers share the port; one process shall not share it with a stranger.
        ("grpc.so_reuseport", int(settings.workers > 1)),
    ]

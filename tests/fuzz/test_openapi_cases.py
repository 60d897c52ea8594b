"""The whole OpenAPI document, played against a real server by schemathesis."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from e2e.running_server import ADMIN, RunningServer
from service.app import create_app
from service.settings import Settings

PATHS = create_app(Settings()).openapi()["paths"]
OPERATIONS = sorted((method.upper(), path) for path, methods in PATHS.items() for method in methods)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
POSITIVE = schemathesis.GenerationMode.POSITIVE
"""All that can be drawn for a route without a body: any path may be a name."""

TIMEOUT_S = 120


def play(server: RunningServer, operation: tuple[str, str], cases: int) -> None:
    """Send valid and invalid requests of one operation, and hold the answers to the document."""
    method, path = operation
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    has_body = "requestBody" in PATHS[path][method.lower()]
    modes = list(schemathesis.GenerationMode) if has_body else [POSITIVE]
    strategies = [schema[path][method].as_strategy(generation_mode=mode) for mode in modes]
    for strategy in strategies:

        @settings(
            max_examples=-(-cases // len(strategies)),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def send(case: Any) -> None:
            response = case.call(timeout=TIMEOUT_S, headers=ADMIN)
            case.validate_response(response, checks=CHECKS)

        send()


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_answers_are_as_documented(server: RunningServer, operation: tuple[str, str]) -> None:
    """Forty cases, half of them invalid where there is a body."""
    play(server, operation, 40)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_thousands_of_answers_are_as_documented(
    server: RunningServer, operation: tuple[str, str]
) -> None:
    """Five thousand cases, nearly all of them where there is a body."""
    play(server, operation, 2_500)

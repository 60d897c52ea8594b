"""Every client gets the native predictions, and shows why a request is refused."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from clients.callers import (
    MARKS,
    ask_kserve_v1,
    ask_kserve_v2,
    ask_triton,
    ask_triton_aio,
    ask_triton_grpc,
)
from clients.hugging_face import ask_async, ask_javascript, ask_sync
from clients.questions import Caller
from clients.table import (
    NO_SUCH_TARGET,
    REFUSED,
    Refusal,
    check_busy,
    check_overload,
    check_predictions,
    check_refusal,
    each_answered,
)
from e2e.running_server import RunningServer

CALLERS: dict[str, Caller] = {
    "triton": partial(ask_triton, is_binary=True),
    "triton_json": partial(ask_triton, is_binary=False),
    "triton_aio": partial(ask_triton_aio, is_binary=True),
    "triton_aio_json": partial(ask_triton_aio, is_binary=False),
    "kserve_v2": partial(ask_kserve_v2, is_binary=True),
    "kserve_v2_json": partial(ask_kserve_v2, is_binary=False),
    "kserve_v1": ask_kserve_v1,
    "hugging_face": ask_sync,
    "hugging_face_async": ask_async,
    "hugging_face_javascript": ask_javascript,
}
GRPC_CALLERS: dict[str, Caller] = {
    "triton_grpc": partial(ask_triton_grpc, is_aio=False),
    "triton_grpc_aio": partial(ask_triton_grpc, is_aio=True),
}

pytestmark = MARKS
each_http_caller = pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
each_grpc_caller = pytest.mark.parametrize("caller", GRPC_CALLERS.values(), ids=GRPC_CALLERS)
ALL = CALLERS | GRPC_CALLERS
each_caller = pytest.mark.parametrize("caller", ALL.values(), ids=ALL)


@each_caller
@each_answered
def test_predictions_are_the_native_ones(
    server: RunningServer, caller: Caller, texts: Sequence[str], parameters: dict[str, Any]
) -> None:
    """For one text or several, one mask or several, with targets or without."""
    check_predictions(server, caller, texts, parameters)


@each_caller
@pytest.mark.parametrize("refusal", [*REFUSED, NO_SUCH_TARGET])
def test_client_shows_why_a_request_is_refused(
    server: RunningServer, caller: Caller, refusal: Refusal
) -> None:
    """By its own error, with the server's status and sentence."""
    check_refusal(server, caller, refusal)


@each_http_caller
def test_client_shows_that_there_is_too_much_to_do(
    narrow_server: RunningServer, caller: Caller
) -> None:
    """As an error to try again after: another connection is all that the server takes."""
    check_overload(narrow_server, caller)


@each_grpc_caller
def test_client_of_grpc_shows_that_there_is_too_much_to_do(
    busy_server: RunningServer, caller: Caller
) -> None:
    """As an error to try again after: others have all the calls that the server takes."""
    check_busy(busy_server, caller)

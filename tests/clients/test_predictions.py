"""Every client gets the native predictions, and shows why a request is refused."""

import socket
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from clients.callers import (
    MARKS,
    Caller,
    Question,
    RefusedError,
    ask_kserve_v1,
    ask_kserve_v2,
    ask_natively,
    ask_triton,
    ask_triton_aio,
)
from e2e.running_server import RunningServer

ONE_MASK = "The capital of France is [MASK]."
TWO_MASKS = "The [MASK] of Italy is [MASK]."

CALLERS: dict[str, Caller] = {
    "triton": partial(ask_triton, is_binary=True),
    "triton_json": partial(ask_triton, is_binary=False),
    "triton_aio": partial(ask_triton_aio, is_binary=True),
    "triton_aio_json": partial(ask_triton_aio, is_binary=False),
    "kserve_v2": partial(ask_kserve_v2, is_binary=True),
    "kserve_v2_json": partial(ask_kserve_v2, is_binary=False),
    "kserve_v1": ask_kserve_v1,
}

pytestmark = MARKS
each_caller = pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)


@each_caller
@pytest.mark.parametrize(
    ("texts", "parameters"),
    [
        ([ONE_MASK], {"top_k": 3}),
        ([TWO_MASKS], {"top_k": 2}),
        ([ONE_MASK, TWO_MASKS, "Größe [MASK]."], {"top_k": 5}),
        ([ONE_MASK, TWO_MASKS], {"targets": ["paris", "rome", "capital"]}),
        ([ONE_MASK], {"targets": ["paris", "rome"], "top_k": 1}),
    ],
)
def test_predictions_are_the_native_ones(
    server: RunningServer, caller: Caller, texts: Sequence[str], parameters: dict[str, Any]
) -> None:
    """For one text or several, one mask or several, with targets or without."""
    question = Question(server.url, texts, parameters)
    expected = [
        [(token, entry, pytest.approx(score, abs=1e-4)) for token, entry, score in mask]
        for mask in ask_natively(question)
    ]
    assert caller(question) == expected


@each_caller
@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"model": "nobody"}, 404, "no preset of that name"),
        ({"texts": ["No mask."]}, 422, r"no \[MASK\]"),
        ({"parameters": {"targets": ["zzzzz"]}}, 422, "zzzzz"),
        ({"parameters": {"top_k": 0}}, 422, "not valid at parameters"),
        ({"key": "wrong"}, 401, "takes a key"),
        ({"timeout_s": 0.001, "texts": [ONE_MASK] * 200}, 408, "No answer within the 0.001 s"),
    ],
)
def test_client_shows_why_a_request_is_refused(
    server: RunningServer, caller: Caller, fields: dict[str, Any], status: int, reason: str
) -> None:
    """By its own error, with the server's status and sentence."""
    asked: dict[str, Any] = {"texts": [ONE_MASK], "parameters": {"top_k": 3}} | fields
    with pytest.raises(RefusedError, match=reason) as refused:
        caller(Question(server.url, **asked))
    assert refused.value.status == status


@each_caller
def test_client_shows_that_there_is_too_much_to_do(
    narrow_server: RunningServer, caller: Caller
) -> None:
    """As an error to try again after: another connection is all that the server takes."""
    address = urlsplit(narrow_server.url)
    with (
        socket.create_connection((address.hostname, address.port)),
        pytest.raises(RefusedError, match="try again") as refused,
    ):
        caller(Question(narrow_server.url, [ONE_MASK], {"top_k": 3}))
    assert refused.value.status == 429

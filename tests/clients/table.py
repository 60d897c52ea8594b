"""What is asked with every client, and what has to come of it."""

import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest

from clients.questions import Caller, Question, RefusedError, ask_natively
from e2e.running_server import RunningServer

ONE_MASK = "The capital of France is [MASK]."
TWO_MASKS = "The [MASK] of Italy is [MASK]."

each_answered = pytest.mark.parametrize(
    ("texts", "parameters"),
    [
        ([ONE_MASK], {"top_k": 3}),
        ([TWO_MASKS], {"top_k": 2}),
        ([ONE_MASK, TWO_MASKS, "Größe [MASK]."], {"top_k": 5}),
        ([ONE_MASK, TWO_MASKS], {"targets": ["paris", "rome", "capital"]}),
        ([ONE_MASK], {"targets": ["paris", "rome"], "top_k": 1}),
    ],
)
"""One text or several, one mask or several, with targets or without."""

NO_SUCH_TARGET = ({"parameters": {"targets": ["zzzzz"]}}, 422, "zzzzz")
"""What all interfaces refuse but the native one."""

REFUSED = [
    ({"model": "nobody"}, 404, "no preset of that name"),
    ({"texts": ["No mask."]}, 422, r"no \[MASK\]"),
    ({"parameters": {"top_k": 0}}, 422, "not valid at"),
    ({"key": "wrong"}, 401, "takes a key"),
    ({"timeout_s": 0.001, "texts": [ONE_MASK] * 200}, 408, "No answer within the 0.001 s"),
]

Refusal = tuple[dict[str, Any], int, str]
"""Fields of a question, the status, and what the sentence has in it."""


def check_predictions(
    server: RunningServer, caller: Caller, texts: Sequence[str], parameters: dict[str, Any]
) -> None:
    """Hold the predictions that a client gets against the native ones."""
    question = Question(server.url, texts, parameters, grpc=server.grpc)
    expected = [
        [(token, entry, pytest.approx(score, abs=1e-4)) for token, entry, score in mask]
        for mask in ask_natively(question)
    ]
    assert caller(question) == expected


def check_refusal(server: RunningServer, caller: Caller, refusal: Refusal) -> None:
    """Hold that a client shows the server's status and sentence."""
    fields, status, reason = refusal
    asked: dict[str, Any] = {"texts": [ONE_MASK], "parameters": {"top_k": 3}} | fields
    with pytest.raises(RefusedError, match=reason) as refused:
        caller(Question(server.url, **asked, grpc=server.grpc))
    assert refused.value.status == status


def check_overload(narrow_server: RunningServer, caller: Caller) -> None:
    """Hold that a client shows when to try again: one connection is all that the server takes."""
    address = urlsplit(narrow_server.url)
    with socket.create_connection((address.hostname, address.port)):
        check_busy(narrow_server, caller)


def check_busy(server: RunningServer, caller: Caller) -> None:
    """Hold that a client shows when to try again a server that takes no more."""
    with pytest.raises(RefusedError, match="try again") as refused:
        caller(Question(server.url, [ONE_MASK], {"top_k": 3}, grpc=server.grpc))
    assert refused.value.status == 429

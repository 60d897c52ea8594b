"""The one question that the tests ask with every client, and how it is answered natively."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

PRESET = "minilm_l6_en_uncased"

Prediction = tuple[int, str, float]
"""Its token, token_str and score."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        url: the server's.
        texts: what is to be filled.
        parameters: `top_k` and `targets`, if any.
        model: the preset.
        key: what the caller shows.
        timeout_s: how long it waits.
        grpc: the server's address over gRPC, if it has one.
    """

    url: str
    texts: Sequence[str]
    parameters: dict[str, Any]
    model: str = PRESET
    key: str = "key"
    timeout_s: float | None = None
    grpc: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What goes with it."""
        said = {} if self.timeout_s is None else {"x-request-timeout-s": str(self.timeout_s)}
        return said | {"authorization": f"Bearer {self.key}"}


class RefusedError(Exception):
    """The client raised an error of its own, as it does whatever it is refused with."""

    def __init__(self, status: int, message: str) -> None:
        """Keep what the client tells."""
        super().__init__(message)
        self.status = status


Caller = Callable[[Question], list[list[Prediction]]]
"""Returns the predictions of every mask of every text, in order."""


def ask_natively(question: Question) -> list[list[Prediction]]:
    """Ask at the native interface, for what the others are held against."""
    body = {"inputs": question.texts, "preset": question.model} | question.parameters
    answer = httpx.post(f"{question.url}/fill-mask", json=body, headers=question.headers)
    return [
        [(each["token"], each["token_str"], each["score"]) for each in mask["predictions"]]
        for result in answer.raise_for_status().json()["results"]
        for mask in result["masks"]
    ]

"""How answers are read: the five best tokens of a mask, whichever server they come from."""

import json
from collections.abc import Callable

import numpy as np

from bench.sentences import TOP_K
from bench.shapes import BASE

Reader = Callable[[bytes, int], list[int]]
"""Takes an answer and where the mask is among the tokens; returns token ids, the best first."""


def read_native(content: bytes, _position: int) -> list[int]:
    """Read the native answer to one text with one mask."""
    predictions = json.loads(content)["results"][0]["masks"][0]["predictions"]
    return [prediction["token"] for prediction in predictions]


def read_pipeline(content: bytes, _position: int) -> list[int]:
    """Read what Transformers' pipeline says of one text with one mask."""
    return [prediction["token"] for prediction in json.loads(content)]


def read_vllm(content: bytes, position: int) -> list[int]:
    """Read vLLM's float16 logits `[tokens, vocabulary_size]`, which it sends as bare bytes."""
    row = np.frombuffer(content, "<f2").reshape(-1, BASE.vocabulary_size)[position]
    best = np.argpartition(row, -TOP_K)[-TOP_K:]
    order = np.argsort(-row[best], kind="stable")
    return [int(token) for token in best[order]]


READERS: dict[str, Reader] = {
    "native": read_native,
    "pipeline": read_pipeline,
    "vllm": read_vllm,
}


def take_content(received: bytes | bytearray) -> bytes:
    """Return the body of a whole HTTP/1.1 answer, sent with its length or in chunks."""
    head, _, rest = bytes(received).partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return rest
    parts: list[bytes] = []
    at = 0
    while True:
        end = rest.index(b"\r\n", at)
        size = int(rest[at:end], 16)
        if not size:
            return b"".join(parts)
        parts.append(rest[end + 2 : end + 2 + size])
        at = end + 2 + size + 2

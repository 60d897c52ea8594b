"""Answers of every server are read to the same thing, however they were sent."""

import json

import numpy as np
import pytest

from bench.readers import read_native, read_pipeline, read_vllm, take_content
from bench.sentences import make_mix
from bench.shapes import BASE

BEST = [7, 3, 11, 5, 30_000]


def test_vllm_reader_takes_the_five_best_at_the_mask() -> None:
    """The logits of every token come; those of the mask are looked at, in order."""
    logits = np.random.default_rng(1).uniform(-1, 1, (4, BASE.vocabulary_size)).astype("<f2")
    logits[2, BEST] = [9, 8, 7, 6, 5]
    assert read_vllm(logits.tobytes(), 2) == BEST
    assert read_vllm(logits.tobytes(), 1) != BEST


def test_json_readers_take_the_tokens() -> None:
    """Ours and the pipeline's answers name tokens by their ids."""
    predictions = [{"token": token} for token in BEST]
    native = {"results": [{"masks": [{"predictions": predictions}]}]}
    assert read_native(json.dumps(native).encode(), 0) == BEST
    assert read_pipeline(json.dumps(predictions).encode(), 0) == BEST


@pytest.mark.parametrize(
    "received",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0\r\n\r\nbody",
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\n0\r\n\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
        ),
    ],
    ids=["length", "chunks"],
)
def test_content_is_taken_whole(received: bytes) -> None:
    """Also where it holds what ends a chunked answer."""
    assert take_content(received) == b"0\r\n\r\nbody"


def test_mix_is_the_same_every_time() -> None:
    """556 texts with one mask each."""
    texts = make_mix()
    assert len(texts) == 556
    assert {text.count("[MASK]") for text in texts} == {1}
    assert texts == make_mix()

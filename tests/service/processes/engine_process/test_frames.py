"""Frames: what goes in comes out, and what is too long or no frame is refused."""

import asyncio
import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.processes.engine_process import frames
from service.processes.engine_process.frames import (
    Answer,
    Cancel,
    Check,
    Count,
    Counted,
    Described,
    Exposed,
    Failed,
    FrameError,
    FrameReader,
    Load,
    Observed,
    Open,
    Opened,
    Predict,
    Predicted,
    Request,
    Unload,
    encode_frame,
)
from service.processes.engine_process.text_frames import (
    Answers,
    FilteredText,
    Mask,
    RankedText,
    SparseText,
    Text,
)
from service.telemetry.tally import Tally

NUMBERS = st.integers(0, 2**63)
SECONDS = st.floats(0, 1e6)
REQUESTS = st.lists(st.tuples(st.text(), st.text(), st.text(), SECONDS, NUMBERS))
BYTES = st.binary()
QUESTIONS = st.one_of(
    st.builds(RankedText, BYTES, BYTES, NUMBERS),
    st.builds(FilteredText, NUMBERS, st.booleans(), st.booleans(), BYTES, SECONDS),
    st.builds(SparseText, st.none() | NUMBERS),
)
TEXTS = st.builds(
    Text,
    BYTES,
    BYTES,
    st.none() | BYTES,
    st.integers(1, 100),
    st.none() | BYTES,
    st.none() | QUESTIONS,
)
MASKS = st.builds(
    Mask,
    BYTES,
    BYTES,
    st.none()
    | st.builds(
        Answers,
        st.none() | BYTES,
        st.none() | BYTES,
        st.none() | SECONDS,
        st.none() | SECONDS,
        st.none() | st.tuples(BYTES, BYTES),
    ),
)
REQUESTS = st.one_of(
    st.builds(Load, st.text(), st.booleans(), st.none() | st.booleans()),
    st.builds(Unload, st.text()),
    st.builds(Open, st.text()),
    st.builds(Predict, st.text(), st.binary(), st.lists(TEXTS), SECONDS | st.just(math.inf)),
    st.builds(Check, st.text()),
    st.builds(Count, st.text()),
    st.builds(Cancel),
    st.builds(Observed, REQUESTS, st.lists(SECONDS), NUMBERS),
)
ANSWERS = st.one_of(
    st.builds(Opened, st.binary(), st.binary()),
    st.builds(
        Predicted,
        st.lists(st.lists(MASKS)),
        SECONDS,
        SECONDS,
    ),
    st.builds(Described, st.lists(st.dictionaries(st.text(), st.none() | st.text() | SECONDS))),
    st.builds(Exposed, st.binary()),
    st.builds(Counted, st.builds(Tally, st.integers(0, 9), st.floats(0, 9))),
    st.builds(Failed, st.text(), st.text(), SECONDS),
)


def read_all(stream: bytes, kind: Any, cuts: list[int]) -> list[Any]:
    """Return the frames of a stream that arrives in pieces."""

    async def read() -> list[Any]:
        reader = asyncio.StreamReader()
        pieces = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
        for start, end in pairwise(pieces):
            reader.feed_data(stream[start:end])
        reader.feed_eof()
        frames_: FrameReader[Any] = FrameReader(reader, kind)
        found = []
        while frame := await frames_.read():
            found.append(frame)
        return found

    return asyncio.run(read())


@given(st.lists(st.tuples(NUMBERS, REQUESTS), max_size=4), st.lists(st.integers(0), max_size=4))
def test_requests_arrive_as_they_were_sent(sent: list[Any], cuts: list[int]) -> None:
    """In order, whatever the pieces that the stream comes in."""
    stream = b"".join(encode_frame(*frame) for frame in sent)
    assert read_all(stream, Request, cuts) == sent


@given(st.lists(st.tuples(NUMBERS, ANSWERS), max_size=4), st.lists(st.integers(0), max_size=4))
def test_answers_arrive_as_they_were_sent(sent: list[Any], cuts: list[int]) -> None:
    """The same the other way."""
    stream = b"".join(encode_frame(*frame) for frame in sent)
    assert read_all(stream, Answer, cuts) == sent


@given(st.integers(0, 200))
def test_stream_that_breaks_off_has_ended(length: int) -> None:
    """Half a frame is none."""
    frame = encode_frame(1, Load("a preset" * 30))
    assert read_all(frame[:length], Request, []) == []


def test_frame_that_is_too_long_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends it hears of it; the connection lives on."""
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 100)
    encode_frame(1, Load("a" * 60))
    with pytest.raises(FrameError, match="the limit is 100"):
        encode_frame(1, Load("a" * 100))


def test_frame_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory is taken for what a broken peer announces."""
    frame = encode_frame(1, Load("a" * 100))
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 100)
    with pytest.raises(FrameError, match="the limit is 100"):
        read_all(frame[:4], Request, [])


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x92\x01\x80", encode_frame(1, Exposed(b""))[4:]])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    """Types are checked as they are read."""
    with pytest.raises(FrameError):
        read_all(len(body).to_bytes(4, "big") + body, Request, [])

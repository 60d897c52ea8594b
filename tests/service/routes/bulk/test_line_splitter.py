"""Lines out of pieces."""

from hypothesis import given
from hypothesis import strategies as st

from service.routes.bulk.line_splitter import LineSplitter

LIMIT = 5


def split(pieces: list[bytes], limit: int = LIMIT) -> list[bytes | None]:
    """Return the lines of pieces."""
    splitter = LineSplitter(limit)
    return [line for piece in pieces for line in splitter.feed(piece)] + splitter.end()


@given(st.lists(st.binary(max_size=9).map(lambda piece: piece.replace(b"x", b"\n"))))
def test_lines_are_the_same_however_they_are_cut(pieces: list[bytes]) -> None:
    """Too long ones are None, and a last line needs no end."""
    lines = b"".join(pieces).split(b"\n")
    expected = lines if lines[-1] else lines[:-1]
    assert split(pieces) == [line if len(line) <= LIMIT else None for line in expected]


def test_too_long_line_is_not_kept() -> None:
    """However long it gets."""
    splitter = LineSplitter(LIMIT)
    for _ in range(100):
        assert splitter.feed(b"1234") == []
        assert len(splitter._line) <= LIMIT
    assert splitter.feed(b"\nab\n") == [None, b"ab"]


def test_line_of_the_limit_is_whole() -> None:
    """Its end does not count."""
    assert split([b"12345\n", b"123", b"456"]) == [b"12345", None]


def test_empty_lines_are_lines() -> None:
    """So that the n-th answer is that of the n-th line."""
    assert split([b"a\n\n", b"\nb"]) == [b"a", b"", b"", b"b"]

"""Texts as bytes of a tensor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routes.kserve.tensor_bytes import dump_texts, load_texts

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"])))


def test_bytes_are_those_of_the_protocol() -> None:
    """Four bytes of length, the smallest first, and the text in UTF-8."""
    assert dump_texts(["a", "", "é"]) == b"\1\0\0\0a\0\0\0\0\2\0\0\0\xc3\xa9"


@given(texts=TEXTS)
def test_texts_come_back(texts: list[str]) -> None:
    """All of them, in order."""
    assert load_texts(dump_texts(texts), len(texts)) == texts


@pytest.mark.parametrize(
    ("content", "count", "reason"),
    [
        (b"", 1, "ends after 0 of 1 texts"),
        (b"\1\0\0", 1, "ends after 0 of 1 texts"),
        (b"\1\0\0\0a\5\0\0\0b", 2, "ends within text 1"),
        (b"\xff\xff\xff\xffa", 1, "ends within text 0"),
        (b"\1\0\0\0a\1\0\0\0b", 1, "behind the last of 1 texts"),
        (b"\1\0\0\0\xff", 1, "text 0 is not in UTF-8"),
        (b"a", 0, "behind the last of 0 texts"),
    ],
)
def test_what_is_no_texts_is_refused(content: bytes, count: int, reason: str) -> None:
    """With the reason."""
    with pytest.raises(ValueError, match=reason):
        load_texts(content, count)


@given(content=st.binary(), count=st.integers(0, 10**6))
def test_any_bytes_are_texts_or_refused(content: bytes, count: int) -> None:
    """Nothing else goes wrong, and what is read is what was sent."""
    try:
        texts = load_texts(content, count)
    except ValueError:
        return
    assert dump_texts(texts) == content

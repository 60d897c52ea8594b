"""Texts as bytes of a tensor: each after its length, four bytes, the smallest first."""

import struct
from collections.abc import Iterable

_LENGTH = struct.Struct("<I")


def dump_texts(texts: Iterable[str]) -> bytes:
    """Return texts as bytes."""
    parts = (text.encode() for text in texts)
    return b"".join(part for text in parts for part in (_LENGTH.pack(len(text)), text))


def load_texts(content: bytes, count: int) -> list[str]:
    """Return so many texts.

    Raises:
        ValueError: the bytes are none, or of more or fewer texts.
    """
    texts: list[str] = []
    start = 0
    while len(texts) < count:
        if start + _LENGTH.size > len(content):
            message = f"the binary data ends after {len(texts)} of {count} texts"
            raise ValueError(message)
        (length,) = _LENGTH.unpack_from(content, start)
        start += _LENGTH.size
        text = content[start : start + length]
        if len(text) < length:
            message = f"the binary data ends within text {len(texts)}"
            raise ValueError(message)
        texts.append(decode_text(text, len(texts)))
        start += length
    if start < len(content):
        message = f"there is binary data behind the last of {count} texts"
        raise ValueError(message)
    return texts


def decode_text(text: bytes, index: int) -> str:
    """Return a text, one of several.

    Raises:
        ValueError: its bytes are no text.
    """
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        message = f"text {index} is not in UTF-8"
        raise ValueError(message) from error

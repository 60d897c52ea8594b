"""Files of text, compressed or not: what is in them counts, and not how they are called."""

import bz2
import gzip
import hashlib
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

_LONGEST_LINE = 1_000_000
_LONGEST_MAGIC = 6
_TRUNCATED = "unexpected end of data"
"""What Python says of a character whose last bytes are yet to be read."""


class TextFile:
    """An open text file, read line by line; its positions are those of the unpacked bytes."""

    def __init__(self, path: Path) -> None:
        """Open a file; gzip, bzip2, xz and Zstandard are known by their first bytes.

        Raises:
            ValueError: it is compressed by Zstandard, for which a package is missing.
            OSError: it cannot be opened.
        """
        self._path = path
        self._file = _opener(path)(path)

    def read_line(self) -> str:
        """Return the next line, its end included, or a part of one that is very long.

        Returns:
            An empty string at the end of the file.

        Raises:
            ValueError: the file is damaged, or no UTF-8 text.
        """
        with self._reading():
            line = self._file.readline(_LONGEST_LINE)
            while True:
                try:
                    text = line.decode("utf-8")
                    break
                except UnicodeDecodeError as error:
                    # A very long line may be cut within a character.
                    more = self._file.read(1) if error.reason == _TRUNCATED else b""
                    if not more:
                        raise self._no_text(line, error.start) from None
                    line += more
            if "\0" in text:
                raise self._no_text(line, line.index(b"\0"))
            return text

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def seek(self, position: int) -> None:
        """Go to a position; a compressed file is read up to it.

        Raises:
            ValueError: the file is damaged.
        """
        with self._reading():
            self._file.seek(position)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _no_text(self, line: bytes, index: int) -> ValueError:
        byte = f"{line[index]:02X}"
        return ValueError(
            f"{self._path} is no UTF-8 text: byte {self._file.tell() - len(line) + index} of it, "
            f"{byte} in hexadecimal, cannot be; give text, encoded as UTF-8."
        )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Make one sentence of what the decompressors raise, each in its own way."""
        damages: tuple[type[Exception], ...] = (
            EOFError,
            OSError,
            lzma.LZMAError,
            zlib.error,
            *_zstd_errors(),
        )
        try:
            yield
        except damages as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the system's
            message = f"{self._path} is damaged ({error}); get or pack it again."
            raise ValueError(message) from error


def check_text(path: Path) -> str:
    """Read a file to its end, and return the SHA-256 of its bytes.

    Hours of training should not end at a line that could have been looked at before.

    Raises:
        ValueError: the file is damaged, no UTF-8 text, or holds nothing but white space.
        OSError: it cannot be read.
    """
    file = TextFile(path)
    try:
        is_empty = True
        while line := file.read_line():
            is_empty = is_empty and not line.strip()
    finally:
        file.close()
    if is_empty:
        message = f"{path} holds no text; give a file with one paragraph a line."
        raise ValueError(message)
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()


def _opener(path: Path) -> Callable[[Path], IO[bytes] | Any]:
    with path.open("rb") as file:
        start = file.read(_LONGEST_MAGIC)
    if start.startswith(b"\x1f\x8b"):
        return gzip.open
    if start.startswith(b"BZh"):
        return bz2.open
    if start.startswith(b"\xfd7zXZ\0"):
        return lzma.open
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstd_opener(path)
    return lambda path: path.open("rb")


def _zstd_opener(path: Path) -> Callable[[Path], Any]:
    try:
        # An extra: Python has it from 3.14 on.
        from backports import zstd  # noqa: PLC0415
    except ImportError:
        message = (
            f"{path} is compressed by Zstandard, which needs the package backports.zstd; "
            "install requirements/train.txt, or unpack the file."
        )
        raise ValueError(message) from None
    opener: Callable[[Path], Any] = zstd.open
    return opener


def _zstd_errors() -> tuple[type[Exception], ...]:
    try:
        from backports.zstd import ZstdError  # noqa: PLC0415  # as above
    except ImportError:
        return ()
    return (ZstdError,)

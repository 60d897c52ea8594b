"""Text is read out of whatever it is packed in, and nothing else is taken for text."""

import bz2
import gzip
import hashlib
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from model_store.masked_lm.training.feed.text_file import TextFile, check_text

TEXT = "Grüße.\n\n北京\n" * 2000
PACKERS = [gzip.compress, bz2.compress, lzma.compress, zstd.compress]


def read(path: Path) -> str:
    """Return all lines."""
    file = TextFile(path)
    lines = "".join(iter(file.read_line, ""))
    file.close()
    return lines


@pytest.mark.parametrize("name", ["text", "text.xz"])
@pytest.mark.parametrize("pack", [bytes, *PACKERS])
def test_content_says_how_it_is_packed(
    pack: Callable[[bytes], bytes], name: str, tmp_path: Path
) -> None:
    """Names say nothing: text may be called .xz, and an archive may have no suffix."""
    path = tmp_path / name
    path.write_bytes(pack(TEXT.encode()))
    assert read(path) == TEXT
    assert check_text(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("pack", PACKERS)
@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: data[:40] + bytes(40)])
def test_damaged_archives_are_named(
    pack: Callable[[bytes], bytes], damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """Cut short, or with other bytes in the middle: every decompressor says it otherwise."""
    path = tmp_path / "text.packed"
    path.write_bytes(damage(pack(TEXT.encode())))
    with pytest.raises(ValueError, match=r"text\.packed (is damaged .*again|is no UTF-8 text)"):
        check_text(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("Straße".encode("latin-1"), r"byte 4 of it, DF in hex"),
        (b"Good.\n" * 3 + b"\xff", r"byte 18 of it, FF in hex"),
        (b"\x7fELF\x02\x01\x01\x00\x00", r"byte 7 of it, 00 in hex"),
        ("A text.".encode("utf-16-le"), r"byte 1 of it, 00 in hex"),
        (b"Good.\n\xe5\x8c", r"byte 6 of it, E5 in hex"),
    ],
    ids=["latin-1", "later line", "program", "utf-16", "cut character"],
)
def test_what_is_no_text_is_refused(content: bytes, found: str, tmp_path: Path) -> None:
    """The message says where to look, in the unpacked bytes too."""
    for path, data in [(tmp_path / "a", content), (tmp_path / "b", gzip.compress(content))]:
        path.write_bytes(data)
        with pytest.raises(ValueError, match=rf"{path} is no UTF-8 text: {found}"):
            check_text(path)


def test_long_lines_are_cut_between_characters(tmp_path: Path) -> None:
    """A file without line ends does not fill the memory, and no character of it is lost."""
    path = tmp_path / "a.txt"
    text = "x" + "北京" * 400_000
    path.write_text(text, "utf-8")
    file = TextFile(path)
    first = file.read_line()
    file.close()
    assert 300_000 < len(first) < 400_000
    assert read(path) == text


def test_file_without_text_is_named(tmp_path: Path) -> None:
    """White space is none."""
    (tmp_path / "a.txt").write_text("\n \n\n", "utf-8")
    with pytest.raises(ValueError, match=r"a\.txt holds no text; give a file"):
        check_text(tmp_path / "a.txt")


def test_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is needed by this kind of archive alone."""
    path = tmp_path / "a.zst"
    path.write_bytes(zstd.compress(b"A text.\n"))
    monkeypatch.setitem(sys.modules, "backports", None)
    monkeypatch.delitem(sys.modules, "backports.zstd")
    with pytest.raises(ValueError, match=r"install requirements/train\.txt, or unpack the file"):
        check_text(path)
    other = tmp_path / "a.gz"
    other.write_bytes(gzip.compress(b"A text.\n")[:-9])
    with pytest.raises(ValueError, match=r"a\.gz is damaged"):
        check_text(other)

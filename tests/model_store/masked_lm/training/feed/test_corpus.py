"""Documents stream from files, and from any position on."""

import lzma
from pathlib import Path

import pytest

from model_store.masked_lm.training.feed.corpus import Corpus

DOCUMENTS = [[f"{name} {index}" for index in range(3)] for name in "ABCDE"]


def write(path: Path, documents: list[list[str]]) -> Path:
    """Write documents, with more empty lines than needed."""
    content = "\n\n" + "\n\n\n".join("\n".join(document) for document in documents) + "\n\n"
    if path.suffix == ".xz":
        path.write_bytes(lzma.compress(content.encode()))
    else:
        path.write_text(content, "utf-8")
    return path


@pytest.mark.parametrize("name", ["a.txt", "a.txt.xz"])
def test_documents_are_read_in_order_and_again(name: str, tmp_path: Path) -> None:
    """An empty line ends a document, and the end of the file starts it again."""
    corpus = Corpus([write(tmp_path / name, DOCUMENTS)])
    assert [corpus.read_document() for _ in range(10)] == DOCUMENTS * 2
    assert corpus.epoch == 1


def test_files_take_turns(tmp_path: Path) -> None:
    """One document of each, until a file is at its end."""
    paths = [
        write(tmp_path / "a.txt", DOCUMENTS[:1]),
        write(tmp_path / "b.txt", DOCUMENTS[1:4]),
    ]
    corpus = Corpus(paths)
    read = [corpus.read_document()[0][0] for _ in range(5)]
    assert read[:4] == ["A", "B", "C", "D"]
    assert read[4] in "AB"


@pytest.mark.parametrize("name", ["a.txt", "a.txt.xz"])
@pytest.mark.parametrize("count", range(8))
def test_position_is_restored(name: str, count: int, tmp_path: Path) -> None:
    """Another reader goes on where the first one was."""
    paths = [write(tmp_path / name, DOCUMENTS), write(tmp_path / f"2{name}", DOCUMENTS[:2])]
    first, second = Corpus(paths), Corpus(paths)
    for _ in range(count):
        first.read_document()
    second.restore(first.state())
    assert [first.read_document() for _ in range(12)] == [second.read_document() for _ in range(12)]


def test_an_epoch_is_read_once(tmp_path: Path) -> None:
    """A held-out file is not read twice."""
    assert list(Corpus([write(tmp_path / "a.txt", DOCUMENTS)]).read_epoch()) == DOCUMENTS


def test_long_document_is_read_in_parts(tmp_path: Path) -> None:
    """A file without empty lines does not fill the memory."""
    lines = [str(index) for index in range(1200)]
    read = list(Corpus([write(tmp_path / "a.txt", [lines])]).read_epoch())
    assert max(len(document) for document in read) == 500
    assert [line for document in read for line in document] == lines


def test_empty_files_are_refused(tmp_path: Path) -> None:
    """Waiting for text that never comes would be for ever."""
    (tmp_path / "a.txt").write_text("\n \n\n", "utf-8")
    with pytest.raises(ValueError, match=r"There is no text in .*a\.txt; give files"):
        Corpus([tmp_path / "a.txt"]).read_document()


def test_missing_files_are_refused(tmp_path: Path) -> None:
    """At once, not when their turn comes."""
    with pytest.raises(ValueError, match="give the path of a text file"):
        Corpus([tmp_path / "none.txt"])
    with pytest.raises(ValueError, match="give one at least"):
        Corpus([])

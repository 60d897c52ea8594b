"""Reading text files document by document, in bounded memory, from any position on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from model_store.masked_lm.training.feed.text_file import TextFile

_MOST_LINES = 500
"""A document of more lines is read as several; a file without empty lines is one document."""


class Corpus:
    """An endless sequence of documents: one of each file in turn, and from the start again.

    Taking turns mixes files of different kinds better than any shuffle buffer does.

    Attributes:
        epoch: how often every file was read to its end.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Stand at the start of every file; nothing is opened yet.

        Raises:
            ValueError: there is no file, or one does not exist.
        """
        if not paths:
            message = "There are no text files; give one at least."
            raise ValueError(message)
        for path in paths:
            if not path.is_file():
                message = f"There is no file {path}; give the path of a text file."
                raise ValueError(message)
        self._paths = tuple(paths)
        self._files: dict[int, TextFile] = {}
        self._offsets: list[int | None] = [0] * len(paths)
        self._turn = 0
        self._found = False
        self.epoch = 0

    def state(self) -> dict[str, Any]:
        """Return the position, as JSON takes it."""
        offsets = [
            self._files[index].tell() if index in self._files else offset
            for index, offset in enumerate(self._offsets)
        ]
        return {"epoch": self.epoch, "turn": self._turn, "offsets": offsets, "any": self._found}

    def restore(self, state: dict[str, Any]) -> None:
        """Go to a position; a compressed file is read up to it again."""
        self.close()
        self.epoch, self._turn, self._found = state["epoch"], state["turn"], state["any"]
        self._offsets = list(state["offsets"])

    def read_document(self) -> list[str]:
        """Return the paragraphs of the next document.

        Raises:
            ValueError: no file holds any text, or one is damaged or no UTF-8 text.
        """
        while True:
            document = self._read_next()
            if document:
                return document

    def read_epoch(self) -> Iterator[list[str]]:
        """Yield the documents up to the end of the last file, once.

        Raises:
            ValueError: no file holds any text.
        """
        epoch = self.epoch
        while (document := self.read_document()) and self.epoch == epoch:
            yield document

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files = {}

    def __del__(self) -> None:
        """Close the files: a sequence without an end has no other moment for it."""
        for file in getattr(self, "_files", {}).values():
            file.close()

    def _read_next(self) -> list[str]:
        """Return the document of the file whose turn it is, empty where that file is at its end."""
        if not any(offset is not None for offset in self._offsets):
            self._start_again()
        index = self._turn
        self._turn = (index + 1) % len(self._paths)
        if self._offsets[index] is None:
            return []
        document = _read_document(self._open(index))
        if document:
            self._found = True
        else:
            self._files.pop(index).close()
            self._offsets[index] = None
        return document

    def _start_again(self) -> None:
        if not self._found:
            names = ", ".join(map(str, self._paths))
            message = f"There is no text in {names}; give files with one paragraph a line."
            raise ValueError(message)
        self._offsets = [0] * len(self._paths)
        self._turn = 0
        self._found = False
        self.epoch += 1

    def _open(self, index: int) -> TextFile:
        if index not in self._files:
            file = TextFile(self._paths[index])
            file.seek(self._offsets[index] or 0)
            self._files[index] = file
        return self._files[index]


def _read_document(file: TextFile) -> list[str]:
    """Return the paragraphs up to the next empty line, none at the end of the file."""
    paragraphs: list[str] = []
    while len(paragraphs) < _MOST_LINES:
        line = file.read_line()
        if not line:
            break
        paragraph = line.strip()
        if paragraph:
            paragraphs.append(paragraph)
        elif paragraphs:
            break
    return paragraphs

"""The blocks of code in a document, and what it shows right below them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from contract.documents import read

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SAID = {"json", "text"}
"""The languages of what a program says."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: the document, by its path in the repository.
        line: where its fence opens.
        language: what the fence names.
        text: what stands in it, the last line break included.
        said: what the document shows as its outcome, in a block right below it.
    """

    page: str
    line: int
    language: str
    text: str
    said: "Block | None" = None

    def __str__(self) -> str:
        """Where it is, as editors take it."""
        return f"{self.page}:{self.line}"

    @property
    def lines(self) -> list[str]:
        """The lines of a shell block, those that are continued as one."""
        return [line for line in self.text.replace("\\\n", " ").splitlines() if line.strip()]


def read_blocks(page: str) -> list[Block]:
    """Return the blocks of a document, in order."""
    return list(_walk(page, read(page)))


def _walk(page: str, text: str) -> Iterator[Block]:
    fences = list(_FENCE.finditer(text))
    for fence, below in zip_longest(fences, fences[1:]):
        said = None
        if below and below[1] in _SAID and text[fence.end() : below.start()] == "\n\n":
            said = _make(page, text, below)
        yield _make(page, text, fence, said)


def _make(page: str, text: str, fence: re.Match[str], said: Block | None = None) -> Block:
    line = text.count("\n", 0, fence.start()) + 1
    return Block(page, line, fence[1], fence[2], said)

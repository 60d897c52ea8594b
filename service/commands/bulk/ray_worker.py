"""A worker of a cluster: it loads the model once, and answers one block after the other.

Here nothing of Ray is imported. A block travels as a row of Ray Data, a dictionary of plain values.
"""

from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from typing import Any

from service.commands.bulk.blocks import Block, Source
from service.commands.bulk.output import Output
from service.commands.bulk.question import Question, prepare
from service.commands.bulk.run import Run
from service.commands.sentences import in_sentences


def read_blocks(source: Source) -> Iterator[Any]:
    """Yield the blocks of a file, each as a table of one row.

    Raises:
        CommandError: it is not of its format, has no such column, or cannot be read.
    """
    import pyarrow as pa  # noqa: PLC0415  # it comes with Ray Data, and other runs do without

    with in_sentences():  # a sentence travels as it is, as not every error does
        for block in source.blocks():
            rows = pa.array([block.contents], pa.list_(pa.binary()))
            yield pa.table({"first": [block.first], "contents": rows})


class RayWorker:
    """Answers blocks with one model."""

    def __init__(self, question: Question) -> None:
        """Be told what every row is asked."""
        self._question = question

    @cached_property
    def _run(self) -> Run:
        # An error of the first block comes back as it is, and one of an actor that begins does not.
        return prepare(self._question)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the lines of a block, and those of them that failed, as a whole each.

        Raises:
            CommandError: the model cannot be loaded, or its engine failed.
        """
        block = Block(row["first"], row["contents"])
        lines, failed = BytesIO(), BytesIO()
        with in_sentences():  # a sentence travels as it is, as not every error does
            self._run.answer([block], Output(lines, failed, block.first, 0), lambda _: None)
        return {"first": block.first, "lines": lines.getvalue(), "failed": failed.getvalue()}

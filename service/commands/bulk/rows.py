"""The rows of a file, one after the other: text, JSON lines, CSV or Parquet."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from service.commands.sentences import CommandError
from service.routes.bulk.line_request import read_line
from service.routes.bulk.line_splitter import LineSplitter
from service.routes.fill_mask.request import FillMaskRequest

Format: TypeAlias = Literal["text", "jsonl", "csv", "parquet"]

SUFFIXES: dict[str, Format] = {
    ".txt": "text",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
_PIECE_BYTES = 2**20
_PIECE_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: `read` says what it asks, or raises why it asks nothing.

    `content` is what stands there, for those that failed; None where nobody kept it.
    """

    content: bytes | None
    read: Callable[[], FillMaskRequest]


def make_row(content: bytes | None, form: Format, max_row_bytes: int) -> Row:
    """Return a row of what stands in it."""
    if content is None or form == "jsonl":
        return Row(content, lambda: read_line(content, max_row_bytes))
    # What is no UTF-8 becomes what no text may hold, and is refused as such.
    text = content.decode("utf-8", "surrogateescape")
    return Row(content, lambda: FillMaskRequest(inputs=text))


def find_format(path: Path) -> Format:
    """Return the format that the name of a file tells.

    Raises:
        ClickException: it tells none.
    """
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        message = f"The name of {path} tells no format; give one with --format."
        raise CommandError(message) from None


def read_contents(
    path: Path, form: Format, column: str | None, max_row_bytes: int
) -> Iterator[bytes | None]:
    """Yield what stands in each row of a file, as it is read.

    Args:
        path: the file.
        form: its format.
        column: the one of the texts, in CSV and Parquet; needless where there is only one.
        max_row_bytes: how long a row may be; of longer ones comes None.

    Raises:
        ClickException: it is not of this format, or has no such column.
        OSError: it cannot be read.
    """
    match form:
        case "text":
            lines = _split(path, max_row_bytes)
            return (None if line is None else line.removesuffix(b"\r") for line in lines)
        case "jsonl":
            return _split(path, max_row_bytes)
        case "csv":
            texts = _read_csv(path, column, max_row_bytes)
            return (text.encode("utf-8", "surrogateescape") for text in texts)
        case _:
            return _read_parquet(path, column)


def _split(path: Path, max_line_bytes: int) -> Iterator[bytes | None]:
    splitter = LineSplitter(max_line_bytes)
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield from splitter.feed(piece)
    yield from splitter.end()


def _read_csv(path: Path, column: str | None, max_row_bytes: int) -> Iterator[str]:
    csv.field_size_limit(max_row_bytes)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            index = _find_column(path, next(rows, []), column)
            for row in rows:
                # A row that ends before its text has an empty one.
                yield row[index] if index < len(row) else ""
        except csv.Error as error:
            message = f"{path} is no CSV at line {rows.line_num} ({error}); mend it."
            raise CommandError(message) from error


def _find_column(path: Path, names: list[str], column: str | None) -> int:
    if column is None and len(names) == 1:
        return 0
    if column in names:
        return names.index(column)
    message = f"{path} has the columns {', '.join(names)}; name the one of the texts with --column."
    raise CommandError(message)


def _read_parquet(path: Path, column: str | None) -> Iterator[bytes]:
    try:
        import pyarrow as pa  # noqa: PLC0415  # an extra, which other formats do without
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        message = "Parquet needs pyarrow; install requirements/bulk.txt as well."
        raise CommandError(message) from None
    try:
        with parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            name = schema.names[_find_column(path, schema.names, column)]
            for batch in file.iter_batches(_PIECE_ROWS, columns=[name]):
                texts = batch.column(0).cast(pa.string()).cast(pa.binary())
                for text in texts.to_pylist():
                    yield text or b""
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0].rstrip(".")
        message = f"{path} cannot be read as Parquet ({reason}); mend it, or name another column."
        raise CommandError(message) from error

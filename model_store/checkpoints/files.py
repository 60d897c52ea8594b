"""Reading and writing the small files of a checkpoint, with errors that name the file."""

import json
from pathlib import Path
from typing import Any

from model_store.errors import ModelLoadError

_MOST_BYTES = 64 * 1024**2
"""The largest vocabularies take a quarter of it as JSON."""

_WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Unicode's `White_Space`, by which the `tokenizers` library goes; Python strips a few more."""

_UNREADABLE = "{} is missing or unreadable; fetch it again."


def read_json(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises:
        ModelLoadError: the file is missing, no JSON, or no object.
    """
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError):  # a number of too many digits is a ValueError
        content = None
    if not isinstance(content, dict):
        message = f"{path.name} is no JSON object; fetch it again."
        raise ModelLoadError(message)
    return content


def read_json_if_there(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds, an empty one where there is no such file.

    Raises:
        ModelLoadError: there is something of that name that is no JSON, or no object.
    """
    return read_json(path) if is_there(path) else {}


def is_there(path: Path) -> bool:
    """Say whether anything has this name, if it be a link that leads nowhere.

    Raises:
        ModelLoadError: that cannot be told.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ModelLoadError(_UNREADABLE.format(path.name)) from error
    return True


def read_vocabulary(path: Path) -> list[str]:
    r"""Return the lines of a vocabulary file; the line number is the id.

    Only `\n` ends a line: entries may be other characters that Unicode calls line breaks.

    Raises:
        ModelLoadError: the file is missing or no UTF-8.
    """
    return read_text(path).removesuffix("\n").split("\n")


def read_stripped_vocabulary(path: Path) -> list[str]:
    """Return the lines of a vocabulary file, without the white space at their ends.

    Transformers reads them so.

    Raises:
        ModelLoadError: the file is missing or no UTF-8.
    """
    return [entry.rstrip(_WHITE_SPACE) for entry in read_vocabulary(path)]


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an object as a JSON file."""
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def write_vocabulary(path: Path, vocabulary: list[str]) -> None:
    """Write a vocabulary file, one entry a line.

    Raises:
        ValueError: an entry holds what ends a line, so that the file would be read otherwise.
    """
    path.write_bytes(("\n".join(vocabulary) + "\n").encode())
    if read_vocabulary(path) != vocabulary:
        message = "An entry of the vocabulary holds a line break; leave it out of the vocabulary."
        raise ValueError(message)


def read_text(path: Path) -> str:
    """Return what stands in a file of text, its lines ended by line feeds alone.

    Raises:
        ModelLoadError: it is missing, no plain file, no UTF-8, or larger than any text is.
    """
    try:
        return read_bytes(path).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ModelLoadError(_UNREADABLE.format(path.name)) from error


def read_bytes(path: Path) -> bytes:
    """Return what stands in a small file.

    Raises:
        ModelLoadError: it is missing, no plain file, or larger than any vocabulary is.
    """
    try:
        # A pipe could be waited for without end, and a file without end fill the memory.
        if path.is_file() and path.stat().st_size <= _MOST_BYTES:
            return path.read_bytes()
    except OSError as error:
        raise ModelLoadError(_UNREADABLE.format(path.name)) from error
    raise ModelLoadError(_UNREADABLE.format(path.name))

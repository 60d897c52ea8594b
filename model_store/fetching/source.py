"""`source.json`: what lies beside pulled files, and says where they came from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_store.checkpoints.files import read_json
from model_store.checkpoints.join import HEAD_DIRECTORY
from model_store.errors import ModelLoadError
from model_store.fetching.hubs.hub import hash_file

SOURCE_FILE = "source.json"

_LONGEST_PATH = 255


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as it was when it was pulled."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where the files of one directory came from.

    Attributes:
        handle: what was asked for.
        revision: what the hub made of it: a commit or a version.
        files: what was taken, by path.
    """

    handle: str
    revision: str
    files: Mapping[str, FileRecord]


def write_source(directory: Path, source: Source) -> None:
    """Write the record; the same pull writes the same bytes."""
    content = {
        "handle": source.handle,
        "revision": source.revision,
        "files": {
            path: {"size": record.size, "sha256": record.sha256}
            for path, record in sorted(source.files.items())
        },
    }
    (directory / SOURCE_FILE).write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def read_source(directory: Path) -> Source | None:
    """Return the record, or None where the files were put there by hand.

    Raises:
        ModelLoadError: it is no such record.
    """
    if not (directory / SOURCE_FILE).is_file():
        return None
    content = read_json(directory / SOURCE_FILE)
    try:
        files = dict(map(_read_entry, content["files"].items()))
        return Source(content["handle"], content["revision"], files)
    except (KeyError, TypeError, ValueError, AttributeError):
        message = f"{SOURCE_FILE} is no record of a pull; remove {directory} and pull it again."
        raise ModelLoadError(message) from None


def check_source(directory: Path, *, hashes: bool = False) -> None:
    """Hold the files of a preset, its head's too, against what was recorded.

    Args:
        directory: where they lie. Files put there by hand have no record, and pass.
        hashes: whether to read every byte, and not only to compare sizes.

    Raises:
        ModelLoadError: a file is missing or is another.
    """
    for part in (directory, directory / HEAD_DIRECTORY):
        source = read_source(part)
        for path, record in source.files.items() if source else ():
            if not _is_at(part / path, record, hashes=hashes):
                message = (
                    f"{path} in {part} is not the file that was pulled; "
                    f"remove {directory} and pull it again."
                )
                raise ModelLoadError(message)


def _read_entry(entry: tuple[str, Mapping[str, Any]]) -> tuple[str, FileRecord]:
    path, record = entry
    if len(path.encode()) > _LONGEST_PATH:
        message = "no file has such a long path"
        raise ValueError(message)
    return path, FileRecord(record["size"], record["sha256"])


def _is_at(path: Path, record: FileRecord, *, hashes: bool) -> bool:
    if not path.is_file() or path.stat().st_size != record.size:
        return False
    return not hashes or hash_file(path) == record.sha256

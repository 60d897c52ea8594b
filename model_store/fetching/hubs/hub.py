"""What every hub offers."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeAlias

Advance: TypeAlias = Callable[[int], None]
"""Called with how many more bytes are here; fewer where a transfer starts anew."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as its hub describes it.

    Attributes:
        path: where it lies in the repository.
        size: bytes.
        sha256: its SHA-256 in hexadecimal, or None where the hub does not tell.
        git_sha1: its name as an object of git, or None where the hub does not tell.
    """

    path: str
    size: int
    sha256: str | None = None
    git_sha1: str | None = None

    def is_at(self, path: Path) -> bool:
        """Say whether a local file is this one, as far as the hub tells."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        if self.sha256 is not None:
            return hash_file(path) == self.sha256
        if self.git_sha1 is not None:
            # Git names its objects so; this finds damage, it keeps no secret.
            named = hashlib.sha1(f"blob {self.size}\0".encode(), usedforsecurity=False)
            named.update(path.read_bytes())
            return named.hexdigest() == self.git_sha1
        return True


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of one revision; a revision never changes."""

    revision: str
    files: tuple[HubFile, ...]


class Hub(Protocol):
    """Fetches the files of one handle."""

    def list_files(self) -> Listing:
        """Ask for the newest revision that the handle names, and its files.

        Raises:
            HubError: the hub does not tell.
        """
        ...

    def download(self, revision: str, file: HubFile, target: Path, advance: Advance) -> None:
        """Fetch a file, going on where an earlier try left off.

        Raises:
            HubError: it did not come whole.
            OSError: it cannot be written.
        """
        ...


class TransferBar:
    """Stands where a hub's library has its progress bar, and passes on what it is told."""

    def __init__(self, advance: Advance) -> None:
        """Report to a function."""
        self._advance = advance

    def update(self, n: int) -> None:
        """Hear of more bytes."""
        self._advance(n)

    def close(self) -> None:
        """End; there is nothing to take off a screen."""

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

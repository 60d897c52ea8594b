"""Keys that callers show, from settings and from files that may change while the server runs."""

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

import structlog
from pydantic import SecretStr

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)
_MOST_BYTES = 1024**2


class ApiKeys:
    """A set of keys. Only their hashes are kept, and they are compared in constant time."""

    def __init__(self, keys: Iterable[SecretStr] = (), file: Path | None = None) -> None:
        """Take keys, and those of a file, one a line; empty lines and `#` comments are skipped.

        Raises:
            OSError: the file cannot be read.
        """
        self._fixed = frozenset(_hash(key.get_secret_value()) for key in keys)
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._read: frozenset[bytes] = frozenset()
        self._is_away = False
        if file is not None:
            self._read_again(file)

    @property
    def is_configured(self) -> bool:
        """Whether keys are asked for; an empty file means that nobody has one."""
        return bool(self._fixed) or self._file is not None

    def allows(self, key: str) -> bool:
        """Say whether a key is one of them, as the file has them now."""
        if self._file is not None:
            try:
                self._read_again(self._file)
            except OSError as error:
                # Keys that are being replaced are not there for a moment: the old ones count.
                self._note_absence(self._file, error)
        shown = _hash(key)
        # With all of them, whichever fits: the time says nothing of where it stands.
        fitting = sum(hmac.compare_digest(shown, known) for known in self._fixed | self._read)
        return fitting > 0

    def _read_again(self, file: Path) -> None:
        """Read the file, if it is another one than last time."""
        status = file.stat()
        seen = (status.st_mtime_ns, status.st_ino)
        if seen == self._seen:
            self._is_away = False
            return
        with file.open("rb") as content:
            lines = content.read(_MOST_BYTES).decode("utf-8", "replace").splitlines()
        keys = (line.strip() for line in lines)
        before = self._read
        self._read = frozenset(_hash(key) for key in keys if key and not key.startswith("#"))
        if self._seen is not None:
            added, removed = len(self._read - before), len(before - self._read)
            _LOG.info("api_keys_rotated", file=str(file), added=added, removed=removed)
        self._seen = seen
        self._is_away = False

    def _note_absence(self, file: Path, error: OSError) -> None:
        """Log it once, and not for every request."""
        if not self._is_away:
            _LOG.warning("api_keys_unreadable", file=str(file), reason=error.strerror)
        self._is_away = True


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()

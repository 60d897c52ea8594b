"""Keys that callers show, from settings and from files that may change while the server runs."""

import hashlib
import hmac
import logging
from collections.abc import Iterable
from pathlib import Path

from pydantic import SecretStr

_LOG = logging.getLogger(__name__)
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
            except OSError:
                # Keys that are being replaced are not there for a moment: the old ones count.
                _LOG.warning("api_keys_unreadable", extra={"file": str(self._file)})
        shown = _hash(key)
        # With all of them, whichever fits: the time says nothing of where it stands.
        fitting = sum(hmac.compare_digest(shown, known) for known in self._fixed | self._read)
        return fitting > 0

    def _read_again(self, file: Path) -> None:
        """Read the file, if it is another one than last time."""
        status = file.stat()
        seen = (status.st_mtime_ns, status.st_ino)
        if seen == self._seen:
            return
        with file.open("rb") as content:
            lines = content.read(_MOST_BYTES).decode("utf-8", "replace").splitlines()
        keys = (line.strip() for line in lines)
        self._read = frozenset(_hash(key) for key in keys if key and not key.startswith("#"))
        self._seen = seen


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()

"""What the doctor looks through. Tests look through others, and so at any machine."""

import os
import platform
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

_IMPORT_TIMEOUT_S = 120
_CONNECTION_TIMEOUT_S = 3.0
_PACKAGE = "fillmask"


def read_text(path: Path) -> str:
    """Return the text of a file; none where it cannot be read."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def find_version(package: str) -> str | None:
    """Return the version of a package, or None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def find_free_bytes(path: Path) -> int | None:
    """Return how much fits where a path lies or would lie; None where nothing can be written."""
    place = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    return shutil.disk_usage(place).free if os.access(place, os.W_OK) else None


def explain_import(module: str) -> str | None:
    """Return why a module cannot be imported, or None where it can.

    In a process of its own: a runtime that was built for another processor ends it.
    """
    try:
        tried = subprocess.run(  # noqa: S603  # nosec B603  # our own interpreter
            [sys.executable, "-c", f"import {module}"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_IMPORT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it takes more than {_IMPORT_TIMEOUT_S} s"
    if tried.returncode == 0:
        return None
    said = tried.stderr.strip().splitlines()
    return said[-1] if said else f"it ends with the status {tried.returncode}"


def can_connect(host: str, port: int = 443) -> bool:
    """Say whether somebody answers there; looking the name up counts to the time as well."""
    answered = threading.Event()

    def connect() -> None:
        try:
            socket.create_connection((host, port), _CONNECTION_TIMEOUT_S).close()
        except OSError:
            return
        answered.set()

    threading.Thread(target=connect, name=f"to {host}", daemon=True).start()
    return answered.wait(_CONNECTION_TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine to look at; by default, this one."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    requirements: Sequence[str] = field(default_factory=lambda: requires(_PACKAGE) or [])
    python: str = field(default_factory=platform.python_version)
    system: str = field(default_factory=platform.platform)
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    read: Callable[[Path], str] = read_text
    exists: Callable[[Path], bool] = Path.exists
    version: Callable[[str], str | None] = find_version
    free_bytes: Callable[[Path], int | None] = find_free_bytes
    explain_import: Callable[[str], str | None] = explain_import
    can_connect: Callable[[str], bool] = can_connect

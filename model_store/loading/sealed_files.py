"""A seal: the hashes of a directory's files, in a file among them.

    seal.json    {"files": {path: SHA-256}}

What was written once and is only read later is held against it: a disk, a copy that broke off or
somebody's hand may have changed it meanwhile.
"""

from pathlib import Path

from model_store.checkpoints.files import read_json, write_json
from model_store.errors import ModelLoadError
from model_store.fetching.hubs.hub import hash_file

_SEAL = "seal.json"


def seal(directory: Path) -> None:
    """Record the files of a directory as they are now."""
    paths = (path for path in sorted(directory.rglob("*")) if path.is_file())
    files = {path.relative_to(directory).as_posix(): hash_file(path) for path in paths}
    write_json(directory / _SEAL, {"files": files})


def is_sound(directory: Path) -> bool:
    """Say whether a directory was sealed, and every file is what it was then.

    What came later is not looked at.
    """
    try:
        files = read_json(directory / _SEAL)["files"]
        return all(hash_file(directory / path) == digest for path, digest in files.items())
    except (ModelLoadError, OSError, ValueError, KeyError, AttributeError):
        return False

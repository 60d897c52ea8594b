"""The files that a preset's model is read from."""

from collections.abc import Iterator
from pathlib import Path

PROOF_FILE = "head_proof.json"
"""What a probe of the head found, beside the files that it looked at."""

_ABOUT_FILES = {PROOF_FILE, "source.json"}


def list_files(directory: Path) -> Iterator[Path]:
    """Yield what a model is read from, in order: nothing that only describes the files."""
    for path in sorted(directory.rglob("*")):
        is_about_files = path.name.startswith(".") or path.suffix == ".md"
        if path.is_file() and not is_about_files and path.name not in _ABOUT_FILES:
            yield path

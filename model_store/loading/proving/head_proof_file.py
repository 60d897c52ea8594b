"""The proof of a head, kept beside the files that it was made for.

    head_proof.json    what the probe found, and the fingerprint of the files it looked at
    probe.txt          optional: a text in a model's own language, where no built-in one fits

A proof counts only while the files are those that were probed.
"""

import hashlib
import json
import math
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from model_store.checkpoints.files import read_json, read_text
from model_store.errors import ModelLoadError
from model_store.fetching.preset_files import PROOF_FILE, list_files
from model_store.loading.proving.head_proof import HeadProof, read_probe_texts

_OWN_TEXT = "probe.txt"
_MOST_CHARACTERS = 10_000
_ENDS = 65_536
"""How many bytes of each end of a file its fingerprint covers: whole, large ones take seconds."""


def read_proof(directory: Path) -> HeadProof | None:
    """Return the stored proof, or None where there is none for these very files."""
    try:
        content = read_json(directory / PROOF_FILE)
        if content.pop("fingerprint", None) != _fingerprint(directory):
            return None
        return _require_types(HeadProof(**content))
    except (ModelLoadError, OSError, ValueError, TypeError, OverflowError):
        return None


def _require_types(proof: HeadProof) -> HeadProof:
    """Check what a file says: it is compared at every load, and shown to everybody."""
    if not isinstance(proof.text, str):
        message = "the name of the text is none"
        raise TypeError(message)
    proof.text.encode()
    if all(map(math.isfinite, (proof.log_probability, proof.uniform, proof.shuffled))):
        return proof
    message = "a log-probability is no number"
    raise ValueError(message)


def write_proof(directory: Path, proof: HeadProof) -> Path:
    """Store a proof, wholly or not at all, and return its file.

    Raises:
        OSError: the directory cannot be written to, or the disk is full.
    """
    content = {"fingerprint": _fingerprint(directory), **asdict(proof)}
    partial = directory / f".{PROOF_FILE}"
    try:
        partial.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        return partial.replace(directory / PROOF_FILE)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def read_texts(directory: Path) -> dict[str, str]:
    """Return the texts to probe with: the preset's own where it has one, else the built-in ones."""
    try:
        own = read_text(directory / _OWN_TEXT)[:_MOST_CHARACTERS]
    except ModelLoadError:
        return dict(read_probe_texts())
    return {_OWN_TEXT: own}


def _fingerprint(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in list_files(directory):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(directory).as_posix()}\0{size}\0".encode())
        with path.open("rb") as file:
            digest.update(file.read(_ENDS))
            file.seek(max(0, size - _ENDS))
            digest.update(file.read(_ENDS))
    return digest.hexdigest()

"""Models as OpenVINO reads them, kept on disk so that a second start needs no conversion.

    <cache>/<digest>/
      model.xml  model.bin   the graph and its weights
      tokenizer*.json        the tokenizer
      facts.json             sizes
      tuning.json            what was measured on this machine
      compiled/              what OpenVINO made of it on this machine

A digest covers every byte of a preset's files and the versions of what converted them.
"""

import hashlib
import json
import multiprocessing
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from model_store.errors import ModelLoadError
from model_store.parent_process import end_with_parent
from model_store.preset_files import list_files
from model_store.resolver import expand_home

DEFAULT_CACHE = Path("~/.cache/fillmask/converted")
"""Where they are kept if nobody says otherwise; `~` is the home directory."""

_GRAPH = 1
"""Goes up whenever the exported graph changes."""

_MOST_ENTRIES = 32


@contextmanager
def open_converted(directory: Path, cache: Path | None) -> Iterator[Path]:
    """Yield the directory of a converted preset, converting it where it is not in the cache.

    A cache that cannot be written to is read. What it lacks is converted for this time only, and
    gone when the block ends.

    Raises:
        ModelLoadError: the files are no model, or the conversion failed.
    """
    if cache is not None:
        cache = expand_home(cache)
        entry = cache / _digest(directory)
        if can_write(cache):
            with FileLock(cache / f".{entry.name}.lock"):
                if not entry.is_dir():
                    _convert_to(directory, entry)
                    _drop_oldest(cache, entry)
            entry.touch()
        if entry.is_dir():
            yield entry
            return
    with tempfile.TemporaryDirectory(prefix="fillmask-") as temporary:
        _convert(directory, Path(temporary))
        yield Path(temporary)


def can_write(directory: Path) -> bool:
    """Say whether files can be put into a directory, which is made where it is missing."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False


def _digest(directory: Path) -> str:
    versions = [version("openvino"), version("keras"), version("fillmask"), _GRAPH]
    digest = hashlib.sha256(json.dumps(versions).encode())
    for path in list_files(directory):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(directory).as_posix()}\0{content}\0".encode())
    return digest.hexdigest()[:32]


def _convert_to(directory: Path, entry: Path) -> None:
    """Convert beside the entry and rename: it is there whole or not at all."""
    unfinished = entry.with_name(f".{entry.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        _convert(directory, unfinished)
        unfinished.replace(entry)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _convert(directory: Path, target: Path) -> None:
    """Convert in a process of its own, whose memory goes with it."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=end_with_parent) as process:
        try:
            process.submit(_convert_here, directory, target).result()
        except BrokenProcessPool as error:
            message = f"The conversion of {directory.name} was killed; give it more memory."
            raise ModelLoadError(message) from error


def _convert_here(directory: Path, target: Path) -> None:
    # Keras is to be imported in that other process only.
    from model_store.engines.openvino_conversion import convert  # noqa: PLC0415

    convert(directory, target)


def _drop_oldest(cache: Path, newest: Path) -> None:
    entries = [path for path in cache.iterdir() if path.is_dir() and not path.name.startswith(".")]
    entries.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in entries[_MOST_ENTRIES:]:
        if path != newest:
            shutil.rmtree(path, ignore_errors=True)

"""Models as OpenVINO reads them, kept on disk so that a second start needs no conversion.

    <cache>/<digest>/
      model.xml  model.bin   the graph and its weights
      tokenizer*.json        the tokenizer
      facts.json             sizes
      seal.json              the hashes of all these: nothing is read that is not as it was written
      tuning.json            what was measured, a machine an entry
      compiled/              what OpenVINO made of it on this machine, and checks itself

A digest covers every byte of a preset's files and the versions of what converted them.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from model_store.errors.failures import reading
from model_store.fetching.hubs.hub import hash_file
from model_store.fetching.preset_files import list_files
from model_store.fetching.resolver import expand_home
from model_store.loading.conversion_process import convert_apart
from model_store.loading.load_news import LoadNews, Report, tell_nobody
from model_store.loading.sealed_files import is_sound, seal

DEFAULT_CACHE = Path("~/.cache/fillmask/converted")
"""Where they are kept if nobody says otherwise; `~` is the home directory."""

_GRAPH = 6
"""Goes up whenever what is exported changes."""

_MOST_ENTRIES = 32


@dataclass(frozen=True, slots=True)
class Conversion:
    """A converted preset.

    Attributes:
        directory: where its files are.
        is_new: whether it was made just now.
        is_kept: whether what is put beside it will be there the next time.
    """

    directory: Path
    is_new: bool
    is_kept: bool


@contextmanager
def open_converted(
    directory: Path, cache: Path | None, report: Report = tell_nobody, *, anew: bool = False
) -> Iterator[Conversion]:
    """Yield a converted preset, converting it where it is not in the cache, whole and sound.

    A cache that cannot be written to is read. What it lacks is converted for this time only, and
    gone when the block ends.

    Args:
        directory: the preset's files.
        cache: where conversions are kept; None keeps none.
        report: told what takes long, and what is wrong with the cache.
        anew: whether one in the cache is known to be no good.

    Raises:
        ModelLoadError: the files are no model.
        EngineUnavailableError: they cannot be converted here.
        OSError: there is no room for what is made, or no access to it.
    """
    entry = None if cache is None else expand_home(cache) / _digest(directory)
    kept = entry and _open_kept(directory, entry, report, anew=anew)
    if kept:
        yield kept
        return
    if entry:
        message = (
            f"The cache {entry.parent} cannot be written to, so {directory.name} is converted at "
            "every load; let FILLMASK_CACHE_DIR, or cache_directory= in Python, name a directory "
            "that can be."
        )
        report(LoadNews("cache_not_writable", message))
    with tempfile.TemporaryDirectory(prefix="fillmask-") as temporary:
        _convert(directory, Path(temporary), report)
        yield Conversion(Path(temporary), is_new=True, is_kept=False)


def _open_kept(directory: Path, entry: Path, report: Report, *, anew: bool) -> Conversion | None:
    """Return what the cache holds, or can be made to hold."""
    if not can_write(entry.parent):
        is_good = not anew and is_sound(entry)
        return Conversion(entry, is_new=False, is_kept=False) if is_good else None
    with FileLock(entry.parent / f".{entry.name}.lock"):
        is_new = anew or not is_sound(entry)
        if is_new and not _replace(directory, entry, report):
            return None
    with suppress(OSError):  # it may be another user's
        entry.touch()
    return Conversion(entry, is_new=is_new, is_kept=can_write(entry))


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
    with reading(directory):
        for path in list_files(directory):
            name = path.relative_to(directory).as_posix()
            digest.update(f"{name}\0{hash_file(path)}\0".encode())
    return digest.hexdigest()[:32]


def _replace(directory: Path, entry: Path, report: Report) -> bool:
    """Convert in place of what is there, if that can be removed."""
    if entry.exists():
        message = f"The conversion of {directory.name} in {entry} is damaged; it is made anew."
        report(LoadNews("conversion_damaged", message))
        shutil.rmtree(entry, ignore_errors=True)
        if entry.exists():
            return False
    _convert_to(directory, entry, report)
    _drop_oldest(entry.parent, entry)
    return True


def _convert_to(directory: Path, entry: Path, report: Report) -> None:
    """Convert beside the entry and rename: it is there whole or not at all."""
    unfinished = entry.with_name(f".{entry.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        _convert(directory, unfinished, report)
        seal(unfinished)
        unfinished.replace(entry)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _convert(directory: Path, target: Path, report: Report) -> None:
    message = f"{directory.name} is converted for OpenVINO, which is done once"
    report(LoadNews("converting", message))
    convert_apart(directory, target)


def _drop_oldest(cache: Path, newest: Path) -> None:
    entries = [path for path in cache.iterdir() if path.is_dir() and not path.name.startswith(".")]
    entries.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in entries[_MOST_ENTRIES:]:
        if path != newest:
            shutil.rmtree(path, ignore_errors=True)

"""Fetching the files of one handle into a directory, where an earlier try may have left some."""

import errno
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from model_store.checkpoints.files import read_json
from model_store.checkpoints.keras.families import find_keras_family
from model_store.checkpoints.transformers.shards import list_shards
from model_store.checkpoints.transformers.tensors import INDEXES, WEIGHTS
from model_store.errors import ModelLoadError, PresetUnavailableError
from model_store.fetching.hubs import open_hub
from model_store.fetching.hubs.errors import BrokenTransferError, DiskFullError, WrongHashError
from model_store.fetching.hubs.hub import Hub, HubFile, Listing, hash_file
from model_store.fetching.source import FileRecord, Source, read_source, write_source

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many bytes of a handle are here, and how many there will be."""

_KERAS_FILES = (
    "config.json",
    "metadata.json",
    "model.weights.h5",
    "preprocessor.json",
    "task.json",
    "task.weights.h5",
    "tokenizer.json",
    "assets/tokenizer/vocabulary.txt",
    "assets/tokenizer/vocabulary.json",
    "assets/tokenizer/merges.txt",
    "assets/tokenizer/vocabulary.spm",
    "probe.txt",
)
_VOCABULARIES = ("vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model")
"""Needed where there is no `tokenizer.json`."""

_TRANSFORMERS_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "probe.txt",
)


def download(handle: str, directory: Path, progress: Progress) -> None:
    """Fetch what is needed of a handle, and record where it came from.

    Files that an earlier try left in the directory are kept as far as they are right.

    Raises:
        PresetUnavailableError: the handle is none, or has no files of a known format.
        HubError: they did not come whole.
        OSError: they cannot be written.
    """
    hub = open_hub(handle)
    listing = hub.list_files()
    files = choose_files(handle, listing)
    _keep_only(directory, handle, listing.revision)
    with _explain_full_disk(handle, directory):
        indexes = [file for file in files if file.path in INDEXES]
        # It is small, and how many bytes there will be is known only after it.
        _fetch(indexes, _Transfer(hub, handle, listing.revision, directory, lambda *_: None))
        for index in indexes:
            files += _choose_parts(handle, listing, directory / index.path)
        _fetch(files, _Transfer(hub, handle, listing.revision, directory, progress))
    records = {file.path: _record(directory, file) for file in files}
    write_source(directory, Source(handle, listing.revision, records))


def choose_files(handle: str, listing: Listing) -> list[HubFile]:
    """Return those of the files that are needed, in the order in which to fetch them.

    Raises:
        PresetUnavailableError: they are no checkpoint of a known format.
    """
    by_path = {file.path: file for file in listing.files}
    if "model.weights.h5" in by_path:
        wanted: Sequence[str] = _KERAS_FILES
    else:
        weights = [path for path in WEIGHTS if path in by_path]
        vocabularies = () if "tokenizer.json" in by_path else _VOCABULARIES
        wanted = [*_TRANSFORMERS_FILES, *vocabularies, *weights[:1]]
        if not weights:
            by_path.pop("config.json", None)
    if "config.json" not in by_path:
        message = (
            f"{handle} holds neither a KerasHub preset nor a Transformers checkpoint; "
            "use one that does."
        )
        raise PresetUnavailableError(message)
    return [by_path[path] for path in wanted if path in by_path]


def _choose_parts(handle: str, listing: Listing, index: Path) -> list[HubFile]:
    """Return the files that an index names, which is here already.

    Raises:
        PresetUnavailableError: the hub has not all of them.
        ModelLoadError: it is no index.
    """
    by_path = {file.path: file for file in listing.files}
    names = list_shards(index)
    missing = next((name for name in names if name not in by_path), None)
    if missing is not None:
        message = f"{handle} lacks {missing}, which its {index.name} names; use one that is whole."
        raise PresetUnavailableError(message)
    return [by_path[name] for name in names]


def _fetch(files: Sequence[HubFile], transfer: "_Transfer") -> None:
    transfer.require_room(files)
    for file in files:
        transfer.fetch(file)


class _Transfer:
    """One download under way: counts the bytes that are here."""

    def __init__(
        self, hub: Hub, handle: str, revision: str, directory: Path, progress: Progress
    ) -> None:
        self._hub = hub
        self._handle = handle
        self._revision = revision
        self._directory = directory
        self._progress = progress
        self._done = self._total = 0

    def require_room(self, files: Sequence[HubFile]) -> None:
        """Count what is here and what is to come."""
        self._total = sum(file.size for file in files)
        missing = self._total
        for file in files:
            path = self._directory / file.path
            missing -= path.stat().st_size if path.is_file() else 0
        if shutil.disk_usage(self._directory).free < missing:
            raise DiskFullError(self._handle, self._directory)

    def fetch(self, file: HubFile) -> None:
        """Fetch a file, unless it is here already."""
        target = self._directory / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        before = self._done
        if not file.is_at(target):
            if target.is_file() and target.stat().st_size >= file.size:
                target.unlink()  # it is another one: nothing to go on from
            self._advance(target.stat().st_size if target.is_file() else 0)
            self._hub.download(self._revision, file, target, self._advance)
            self._check(file, target)
        self._advance(before + file.size - self._done)

    def _check(self, file: HubFile, target: Path) -> None:
        if file.is_at(target):
            return
        size = target.stat().st_size
        if size < file.size:
            raise BrokenTransferError(self._handle, file.path)
        target.unlink()
        raise WrongHashError(self._handle, file.path)

    def _advance(self, nbytes: int) -> None:
        self._done += nbytes
        self._progress(self._done, self._total)


def _keep_only(directory: Path, handle: str, revision: str) -> None:
    """Throw away what an earlier try left, unless it was of this same revision."""
    try:
        earlier = read_source(directory)
    except ModelLoadError:
        earlier = None
    if earlier and (earlier.handle, earlier.revision) == (handle, revision):
        return
    if directory.is_dir():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    write_source(directory, Source(handle, revision, {}))


def _record(directory: Path, file: HubFile) -> FileRecord:
    return FileRecord(file.size, file.sha256 or hash_file(directory / file.path))


@contextmanager
def _explain_full_disk(handle: str, directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFullError(handle, directory) from error
        raise


def has_own_head(directory: Path) -> bool:
    """Say whether fetched files hold all that a masked LM needs, as far as their names tell."""
    if not (directory / "model.weights.h5").is_file():
        return True  # Transformers keeps the head with the rest
    if not all((directory / name).is_file() for name in ("task.weights.h5", "task.json")):
        return False
    task = read_json(directory / "task.json").get("class_name")
    return task == find_keras_family(read_json(directory / "config.json")).task

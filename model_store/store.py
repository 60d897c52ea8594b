"""The presets of one installation: which there are, where their files lie, and loading one.

A caller's name is only ever looked up among the names listed here. It never becomes a path.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from model_store.checkpoints import read_family
from model_store.engines import EngineOptions
from model_store.errors import (
    HeadMissingError,
    ModelLoadError,
    PresetNotFoundError,
    PresetUnavailableError,
)
from model_store.errors.failures import explain_os_error, reading
from model_store.fetching.catalog import EMBEDDED, CatalogEntry, read_catalog
from model_store.fetching.download import Progress
from model_store.fetching.resolver import embedded_directory, expand_home, is_here, resolve
from model_store.fetching.source import check_source
from model_store.loading.load_news import Report, tell_nobody
from model_store.loading.loader import load_fill_mask_model
from model_store.loading.proving.head_proof import HeadProof
from model_store.loading.proving.head_proof_file import read_proof
from model_store.loading.proving.proven_head import keep_proof, probe_head, require_proven_head

if TYPE_CHECKING:
    from model_store.engines.fill_mask import FillMaskModel

_PRESET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_MOST_DIRECTORIES = 1000
_DEFAULT_ENGINE = EngineOptions()


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset and where its files are.

    Attributes:
        parameters: how many weights, or None where nothing but the files would tell.
        source: `embedded`, `directory`, or the handle of its files.
        directory: its files, or None where they are not on this machine.
        no_head: why it can never fill a mask, one sentence, or None.
        unreadable: why its files cannot be looked at, one sentence, or None.
        family: what the catalogue says of it, or None.
    """

    name: str
    description: str
    parameters: int | None
    source: str
    directory: Path | None
    no_head: str | None = None
    unreadable: str | None = None
    family: str | None = None

    def read_family(self) -> str | None:
        """Return its family: what its files say goes before what the catalogue says."""
        return (self.directory and read_family(self.directory)) or self.family

    def read_proof(self) -> HeadProof | None:
        """Return the stored proof of its head, or None where there is none for its files."""
        return read_proof(self.directory) if self.directory else None


class ModelStore:
    """The built-in presets and those of one directory, whose subdirectories are presets by name."""

    def __init__(
        self,
        directory: Path | None = None,
        *,
        offline: bool = False,
        engine: EngineOptions = _DEFAULT_ENGINE,
        allowed: Collection[str] | None = None,
    ) -> None:
        """Look for presets in a directory.

        Args:
            directory: where they lie, and where they are put when they are fetched. It is read
                anew at every call, so it may change.
            offline: whether nothing is fetched, and no connection tried.
            engine: what runs the models.
            allowed: the names of the only presets there are to be, or None for all. Nothing of
                another one is ever fetched or read.
        """
        self._engine = engine
        self._directory = None if directory is None else expand_home(directory)
        self._offline = offline
        self._allowed = allowed

    def presets(self) -> list[Preset]:
        """Return every preset: the catalogue's in its order, then the directory's by name."""
        directories, problem = self._list_directories()
        built_in = [
            _from_catalog(entry, directories.pop(entry.name, None), problem)
            for entry in read_catalog().values()
        ]
        own = [
            Preset(
                name,
                f"The files in {name}.",
                None,
                "directory",
                path,
                unreadable=_find_problem(path),
            )
            for name, path in sorted(directories.items())
        ]
        return [p for p in built_in + own if self._allowed is None or p.name in self._allowed]

    def find(self, name: str) -> Preset:
        """Return a preset.

        Raises:
            PresetNotFoundError: there is none of that name.
        """
        for preset in self.presets():
            if preset.name == name:
                return preset
        message = "There is no preset of that name; GET /presets lists those there are."
        raise PresetNotFoundError(self.problem() or message)

    def problem(self) -> str | None:
        """Return why the directory cannot be looked at, one sentence, or None where it can."""
        return self._list_directories()[1]

    def require_obtainable(self, name: str) -> None:
        """Refuse a preset whose files are not here, and would not be fetched either.

        Raises:
            PresetNotFoundError: there is none of that name.
            PresetUnavailableError: its files cannot come here by themselves.
            HeadMissingError: it has no masked-LM head.
        """
        if self.find(name).directory is None and not self.is_fetchable(name):
            self._require_files(name)

    def is_fetchable(self, name: str) -> bool:
        """Say whether a preset's files are not here, and would be fetched."""
        if self._offline or self._directory is None:
            return False
        preset = self.find(name)
        is_missing = preset.directory is None and not preset.unreadable
        return is_missing and not preset.no_head and name in read_catalog()

    def fetch(self, name: str, progress: Progress = lambda _done, _total: None) -> None:
        """Fetch a preset's files if they are not here; takes minutes.

        Args:
            name: a preset's.
            progress: told how many bytes are here and will be. What it raises ends the fetching;
                what was fetched is kept.

        Raises:
            PresetNotFoundError: there is none of that name.
            PresetUnavailableError: the files cannot be had.
            HeadMissingError: it has no masked-LM head.
            ModelLoadError: what was fetched is broken.
        """
        if self._directory is not None and self.is_fetchable(name):
            resolve(name, directory=self._directory, progress=progress)

    def load(self, name: str, report: Report = tell_nobody) -> "FillMaskModel":
        """Read a preset's files and make it ready; takes seconds.

        Args:
            name: a preset's.
            report: told what takes long, and what has to be done without.

        Raises:
            PresetNotFoundError: there is none of that name.
            PresetUnavailableError: its files are not on this machine; `fetch` gets them.
            HeadMissingError: it has no masked-LM head.
            HeadUnprovenError: the head that it has is no better than chance.
            EngineUnavailableError: the engine that is asked for is not here, or fails on it.
            ModelLoadError: its files are broken, or cannot be read.
        """
        directory = self._require_files(name)
        with reading(directory):
            model = load_fill_mask_model(directory, self._engine, report)
            require_proven_head(model, directory)
        return model

    def verify(self, name: str) -> HeadProof:
        """Probe a preset's head anew, whatever is stored; `keep_proof` stores what comes out.

        Raises:
            ModelStoreError: it cannot be loaded, or no text is in its language.
        """
        directory = self._require_files(name)
        with reading(directory):
            return probe_head(load_fill_mask_model(directory, self._engine), directory)

    def keep_proof(self, name: str, proof: HeadProof) -> Path | None:
        """Store a proof beside a preset's files; return its file, or None if it ships with its own.

        Raises:
            ModelStoreError: there is no such preset.
            OSError: it cannot be stored.
        """
        return keep_proof(self._require_files(name), proof)

    def _require_files(self, name: str) -> Path:
        preset = self.find(name)
        if preset.unreadable:
            raise ModelLoadError(preset.unreadable)
        if preset.directory is None:
            if preset.no_head:
                raise HeadMissingError(preset.no_head)
            message = (
                f"The files of {name} are not here; fetch them with `fillmask presets pull {name}`,"
                f" or put them into {name}/ under FILLMASK_MODEL_STORE_DIR."
            )
            raise PresetUnavailableError(message)
        with reading(preset.directory):
            check_source(preset.directory)
        return preset.directory

    def ignored_directories(self) -> dict[str, str]:
        """Return the directories that are no presets though they lie among them, each with why.

        Hidden ones hold what is being fetched, and are left out.
        """
        presets, _ = self._list_directories()
        paths, _ = self._list_paths()
        return {
            path.name: _why_ignored(path)
            for path in paths
            if path.name not in presets and not path.name.startswith(".") and _is_true(path.is_dir)
        }

    def _list_directories(self) -> tuple[dict[str, Path], str | None]:
        """Return what may be a preset by its name, and why that is all, if something is wrong."""
        paths, problem = self._list_paths()
        found = (
            p for p in paths if _PRESET_NAME.fullmatch(p.name) and _is_true(partial(is_here, p))
        )
        return {path.name: path for path in islice(found, _MOST_DIRECTORIES)}, problem

    def _list_paths(self) -> tuple[list[Path], str | None]:
        if self._directory is None:
            return [], None
        try:
            return sorted(self._directory.iterdir()) if self._directory.is_dir() else [], None
        except OSError as error:
            return [], explain_os_error(error, self._directory)


def _why_ignored(path: Path) -> str:
    if not _is_true(partial(is_here, path)):
        return "It has no config.json and no bert_config.json."
    if not _PRESET_NAME.fullmatch(path.name):
        return (
            "A preset's name has up to 128 characters: letters of ASCII, digits, dots, underscores "
            "and hyphens, a letter or digit first."
        )
    return f"Only the first {_MOST_DIRECTORIES} directories are presets."


def _is_true(check: Callable[[], bool]) -> bool:
    """Say whether a check holds, or cannot be made: who asks for the files is told then."""
    try:
        return check()
    except OSError:
        return True


def _find_problem(directory: Path) -> str | None:
    """Return why a directory cannot be looked at; that of one preset is in no other's way."""
    try:
        is_here(directory)
    except OSError as error:
        return explain_os_error(error, directory)
    return None


def _from_catalog(entry: CatalogEntry, directory: Path | None, problem: str | None) -> Preset:
    """Join an entry with its files; `problem` is why they may not have been found."""
    unreadable = _find_problem(directory) if directory else problem
    if directory is None and entry.name == EMBEDDED:
        directory, unreadable = embedded_directory(), None
    return Preset(
        entry.name,
        entry.description,
        entry.parameters,
        entry.source,
        directory,
        entry.no_head,
        None if entry.no_head and directory is None else unreadable,
        entry.family,
    )

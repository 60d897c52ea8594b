"""The presets of one installation: which there are, where their files lie, and loading one.

A caller's name is only ever looked up among the names listed here. It never becomes a path.
"""

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from model_store.catalog import EMBEDDED, CatalogEntry, read_catalog
from model_store.errors import HeadMissingError, PresetNotFoundError, PresetUnavailableError

if TYPE_CHECKING:
    from model_store.fill_mask import FillMaskModel

_PRESET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_MOST_DIRECTORIES = 1000


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset and where its files are.

    Attributes:
        parameters: how many weights, or None where nothing but the files would tell.
        source: `embedded`, `directory`, or the handle of its files.
        directory: its files, or None where they are not on this machine.
        no_head: why it can never fill a mask, one sentence, or None.
    """

    name: str
    description: str
    parameters: int | None
    source: str
    directory: Path | None
    no_head: str | None = None


class ModelStore:
    """The built-in presets and those of one directory, whose subdirectories are presets by name."""

    def __init__(self, directory: Path | None = None) -> None:
        """Look for presets in `directory`; it is read anew at every call, so it may change."""
        self._directory = directory

    def presets(self) -> list[Preset]:
        """Return every preset: the catalogue's in its order, then the directory's by name."""
        directories = self._list_directories()
        built_in = [
            _from_catalog(entry, directories.pop(entry.name, None))
            for entry in read_catalog().values()
        ]
        own = [
            Preset(name, f"The files in {name}.", None, "directory", path)
            for name, path in sorted(directories.items())
        ]
        return built_in + own

    def find(self, name: str) -> Preset:
        """Return a preset.

        Raises:
            PresetNotFoundError: there is none of that name.
        """
        for preset in self.presets():
            if preset.name == name:
                return preset
        message = "There is no preset of that name; GET /presets lists those there are."
        raise PresetNotFoundError(message)

    def load(self, name: str) -> "FillMaskModel":
        """Read a preset's files and make it ready; takes seconds.

        Raises:
            PresetNotFoundError: there is none of that name.
            PresetUnavailableError: its files are not on this machine.
            HeadMissingError: it has no masked-LM head.
            ModelLoadError: its files are broken.
        """
        preset = self.find(name)
        if preset.directory is None:
            if preset.no_head:
                raise HeadMissingError(preset.no_head)
            message = (
                f"The files of {name} are not here; "
                f"put them into {name}/ under FILLMASK_MODEL_STORE_DIR."
            )
            raise PresetUnavailableError(message)
        # The runtime takes seconds to import, and a server must answer its probes meanwhile.
        from model_store.loader import load_fill_mask_model  # noqa: PLC0415

        return load_fill_mask_model(preset.directory)

    def _list_directories(self) -> dict[str, Path]:
        if self._directory is None or not self._directory.is_dir():
            return {}
        found = (
            path
            for path in sorted(self._directory.iterdir())
            if _PRESET_NAME.fullmatch(path.name) and (path / "config.json").is_file()
        )
        return {path.name: path for path, _ in zip(found, range(_MOST_DIRECTORIES), strict=False)}


def _from_catalog(entry: CatalogEntry, directory: Path | None) -> Preset:
    if directory is None and entry.name == EMBEDDED:
        directory = Path(str(files("model_store").joinpath("presets", EMBEDDED)))
    return Preset(
        entry.name, entry.description, entry.parameters, entry.source, directory, entry.no_head
    )

"""A store that lies in a file: replicas do as the store of a test would, whatever becomes of it."""

import copyreg
from pathlib import Path
from typing import Any

from ray import cloudpickle

from fakes import FakeStore
from model_store.engines.fill_mask import FillMaskModel
from model_store.fetching.download import Progress
from model_store.loading.load_news import Report, tell_nobody
from model_store.store import ModelStore, Preset
from service.errors.table import TABLE
from service.settings import Settings

_STORE, _LOADS = "store", "loads"


class ShippedStore(ModelStore):
    """What was written last; read anew at every call."""

    def __init__(self, directory: Path) -> None:
        """Read from a directory."""
        super().__init__()
        self._shipped = directory

    def _read(self) -> ModelStore:
        store: ModelStore = cloudpickle.loads((self._shipped / _STORE).read_bytes())
        return store

    def presets(self) -> list[Preset]:
        """Return every preset."""
        return self._read().presets()

    def require_obtainable(self, name: str) -> None:
        """Refuse a preset whose files are not here, and would not be fetched either."""
        self._read().require_obtainable(name)

    def is_fetchable(self, name: str) -> bool:
        """Say whether a preset's files are not here, and would be fetched."""
        return self._read().is_fetchable(name)

    def fetch(self, name: str, progress: Progress = lambda _done, _total: None) -> None:
        """Fetch a preset's files, and note that something was done."""
        self._note("")
        self._read().fetch(name, progress)

    def load(self, name: str, report: Report = tell_nobody) -> FillMaskModel:
        """Return a model, and note that it was loaded."""
        store = self._read()
        store.find(name)
        self._note(name)
        return store.load(name, report)

    def _note(self, loaded: str) -> None:
        with (self._shipped / _LOADS).open("a", encoding="utf-8") as file:
            file.write(f"{loaded}\n")


def create_shipped_store(directory: Path, _: Settings) -> ShippedStore:
    """Return the store of the test that runs."""
    return ShippedStore(directory)


class Shipment:
    """Brings a test's store to the replicas, and what they loaded back to it."""

    def __init__(self, directory: Path, store: FakeStore) -> None:
        """Ship a store by a directory that every replica sees."""
        self._directory = directory
        self._store = store
        self._shipped = b""

    def begin(self) -> bool:
        """Write the store for the first time; say whether anything was done with the last one."""
        loads = self._directory / _LOADS
        was_used = loads.exists() and loads.stat().st_size > 0
        loads.write_text("")
        self.send()
        return was_used

    def send(self) -> None:
        """Write the store as it is now."""
        shipped = cloudpickle.dumps(self._store)
        if shipped != self._shipped:
            # Whoever reads it meanwhile reads all of the old one.
            new = self._directory / "new"
            new.write_bytes(shipped)
            new.replace(self._directory / _STORE)
            self._shipped = shipped

    def fetch_loads(self) -> None:
        """Have the store know what was loaded of it."""
        self._store.loads[:] = (self._directory / _LOADS).read_text("utf-8").split()


def _reduce(error: Exception) -> tuple[Any, ...]:
    return _make_error, (type(error), error.args), vars(error)


def _make_error(kind: type[Exception], args: tuple[Any, ...]) -> Exception:
    error = kind.__new__(kind)
    error.args = args
    return error


for _kind in TABLE:  # their constructors write the message, and it is written already
    copyreg.pickle(_kind, _reduce)

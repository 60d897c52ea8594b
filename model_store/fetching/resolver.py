"""A handle becomes a local directory of verified files.

    bert_base_en                         a name of the catalogue
    kaggle://user/model/keras/variation  a model on Kaggle, or with /version
    hf://user/name                       a repository on Hugging Face, or with @revision
    my_model                             a directory in the model store's, by its name
    ./path/to/files                      a directory

Pulled files lie under the model store's directory. They are fetched into a hidden directory beside
the place where they will be, and take that place by one renaming: they are there wholly or not at
all, and whatever was fetched before an interruption is not fetched again.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from filelock import FileLock

from model_store.checkpoints import read_checkpoint
from model_store.checkpoints.join import HEAD_DIRECTORY
from model_store.errors import HeadMissingError, PresetNotFoundError, PresetUnavailableError
from model_store.errors.failures import reading
from model_store.fetching.catalog import EMBEDDED, CatalogEntry, read_catalog
from model_store.fetching.download import Progress, download, has_own_head
from model_store.fetching.hubs import is_hub_handle
from model_store.fetching.hubs.errors import HubError, HubRefusalError
from model_store.fetching.source import check_source

DEFAULT_DIRECTORY = Path("~/.cache/fillmask/presets")
"""Where pulled files go if nobody says otherwise; `~` is the home directory."""

_LONGEST_NAME = 128
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*(@[\w.-]+)?", re.ASCII)


def resolve(
    handle: str,
    *,
    directory: Path = DEFAULT_DIRECTORY,
    offline: bool = False,
    verify: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Path:
    """Return the directory with the files of a handle, fetching them where they are not here.

    Args:
        handle: a name of the catalogue, a hub's handle, or a directory.
        directory: the model store's.
        offline: whether no connection may be tried.
        verify: whether files that are here already are read to the last byte.
        progress: called while files are fetched. What it raises ends the fetching.

    Raises:
        PresetNotFoundError: there is no such name, and no such directory.
        PresetUnavailableError: the files cannot be had; the sentence says why.
        HeadMissingError: it has no masked-LM head.
        ModelLoadError: the files are here, and broken, or cannot be read.
    """
    directory = expand_home(directory)
    with reading(directory):
        return _resolve(handle, directory, offline=offline, verify=verify, progress=progress)


def _resolve(
    handle: str, directory: Path, *, offline: bool, verify: bool, progress: Progress
) -> Path:
    entry = read_catalog().get(handle)
    if entry is None and not is_hub_handle(handle):
        return _find_local(handle, directory)
    target = directory / (handle if entry else name_of(handle))
    if handle == EMBEDDED and not is_here(target):
        return embedded_directory()
    if not is_here(target):
        if entry and entry.no_head:
            raise HeadMissingError(entry.no_head)
        if offline:
            message = (
                f"The files of {handle} are not here, and nothing is fetched with "
                f"FILLMASK_OFFLINE, or offline=True in Python; put them into {target}, or unset it."
            )
            raise PresetUnavailableError(message)
        _pull(entry or CatalogEntry(handle, "", 0, handle), target, progress)
    check_source(target, hashes=verify)
    return target


def is_here(directory: Path) -> bool:
    """Say whether a directory is a preset's: `bert_config.json` is Google's."""
    return any((directory / name).is_file() for name in ("config.json", "bert_config.json"))


def embedded_directory() -> Path:
    """Return where the preset that ships with the package lies."""
    return Path(str(files("model_store").joinpath("presets", EMBEDDED)))


def name_of(handle: str) -> str:
    """Return the name under which a hub's handle is kept: `hf://user/name@rev`, `user--name--rev`.

    Raises:
        PresetUnavailableError: that would be too long.
    """
    name = handle.partition("://")[2].replace("@", "--").replace("/", "--")
    if not 0 < len(name) <= _LONGEST_NAME or name.startswith((".", "-", "_")):
        message = f"{handle} makes no name for a directory; put its files in place by hand."
        raise PresetUnavailableError(message)
    return name


def expand_home(directory: Path) -> Path:
    """Replace `~`, where there is a home directory; else it is a name like any other."""
    try:
        return directory.expanduser()
    except RuntimeError:
        return directory


def _find_local(handle: str, store: Path) -> Path:
    # The server's names come first; with a slash it is a path.
    is_named = _NAME.fullmatch(handle) and is_here(store / handle)
    directory = store / handle if is_named else Path(handle)
    if is_here(directory):
        check_source(directory)
        return directory
    hint = "`fillmask presets list` lists the names."
    if _REPOSITORY.fullmatch(handle):
        hint = f"for that repository on Hugging Face, say hf://{handle}."
    message = f"{handle} is no name of a preset and no directory of a checkpoint; {hint}"
    raise PresetNotFoundError(message)


def _pull(entry: CatalogEntry, target: Path, progress: Progress) -> None:
    """Fetch the files of an entry into a place where nothing is yet."""
    partial = target.parent / f".{target.name}.partial"
    with _explain(entry.name, target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.parent / f".{target.name}.lock"):
            if is_here(target):
                return  # another process was first
            _fetch(entry, partial, progress)
            # What is put in place can be served: it is read once, as it will be then.
            read_checkpoint(partial)
            partial.replace(target)


def _fetch(entry: CatalogEntry, partial: Path, progress: Progress) -> None:
    """Fetch an entry's files, and its head from elsewhere where they have none."""
    try:
        download(entry.source, partial, progress)
    except HubRefusalError:
        if entry.head is None:
            raise
        # The original checkpoint is the whole model: what it was converted to is not needed.
        download(entry.head, partial, progress)
        return
    head = partial / HEAD_DIRECTORY
    if entry.head is not None and not has_own_head(partial):
        download(entry.head, head, progress)
    elif head.is_dir():
        shutil.rmtree(head)


@contextmanager
def _explain(handle: str, directory: Path) -> Iterator[None]:
    try:
        yield
    except HubError as error:
        raise PresetUnavailableError(str(error)) from error
    except OSError as error:
        message = (
            f"The files of {handle} cannot be written to {directory} "
            f"({error.strerror or type(error).__name__}); "
            "name one that can be by FILLMASK_MODEL_STORE_DIR, or by directory= in Python."
        )
        raise PresetUnavailableError(message) from error

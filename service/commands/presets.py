"""`fillmask presets`: which there are, and fetching their files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Annotated

from tqdm import tqdm
from typer import Argument, Exit, Typer, echo

from model_store.errors import ModelStoreError, PresetNotFoundError, PresetUnavailableError
from model_store.fetching.download import Progress
from model_store.fetching.hubs import is_hub_handle
from model_store.fetching.resolver import embedded_directory, expand_home, name_of, resolve
from model_store.loading.converted_models import can_write
from model_store.store import Preset
from service.commands.environment import read_settings
from service.commands.options import choose_markup, complete_presets, examples
from service.commands.sentences import (
    CommandError,
    SentenceGroup,
    describe,
    warn_of_unknown_settings,
)
from service.models.preset_store import create_store
from service.settings import Settings

presets = Typer(cls=SentenceGroup, rich_markup_mode=choose_markup(), no_args_is_help=True)

Name = Annotated[str, Argument(metavar="NAME", autocompletion=complete_presets)]
Names = Annotated[list[str], Argument(metavar="NAME...", autocompletion=complete_presets)]


@presets.callback()
def start() -> None:
    """List presets and fetch their files. The settings are those of the server."""
    warn_of_unknown_settings()


@presets.command("list", epilog=examples("fillmask presets list"))
def list_presets() -> None:
    """List every preset: whether its files are here, its family, and where they come from."""
    store = create_store(read_settings())
    for preset in store.presets():
        family = preset.read_family() or "-"
        echo(f"{preset.name:<36} {_judge(preset):<8} {family:<10} {preset.source}")
        if preset.unreadable and not store.problem():
            echo(f"{preset.name}: {preset.unreadable}", err=True)
    if problem := store.problem():
        echo(problem, err=True)
    for name, reason in store.ignored_directories().items():
        echo(f"{name} is ignored: {reason}", err=True)


@presets.command(
    epilog=examples(
        "fillmask presets pull bert_base_en_uncased",
        "fillmask presets pull hf://google-bert/bert-base-german-cased",
    )
)
def pull(names: Names) -> None:
    """Fetch presets: names of the catalogue, or handles (hf://..., kaggle://...).

    What is here already is read and held against the hashes that were recorded with it. An
    interrupted pull goes on where it was.
    """
    settings = read_settings()
    is_failed = False
    for name in names:
        try:
            directory = _pull(name, settings)
        except (ModelStoreError, OSError) as error:
            echo(f"{name}: {describe(error)}", err=True)
            is_failed = True
        else:
            echo(f"{name}: {directory}")
    raise Exit(int(is_failed))


@presets.command(epilog=examples("fillmask presets verify bert_base_en_uncased"))
def verify(name: Name) -> None:
    """Probe the head of a preset whose files are here, and store what comes out."""
    store = create_store(read_settings())
    proof = store.verify(name)
    echo(
        f"{name}: {'verified' if proof.is_verified else 'unproven'} on {proof.text}: "
        f"mean log-probability {proof.log_probability:.2f}, "
        f"uniform {proof.uniform:.2f}, shuffled {proof.shuffled:.2f}"
    )
    stored = store.keep_proof(name, proof)
    echo(f"Stored in {stored}." if stored else "Not stored: the package brings its own proof.")
    raise Exit(0 if proof.is_verified else 1)


@presets.command(epilog=examples("fillmask presets convert minilm_l6_en_uncased"))
def convert(names: Names) -> None:
    """Convert presets whose files are here, and measure them on this machine.

    What comes out is kept in FILLMASK_CACHE_DIR. A server that finds it there needs neither time
    nor a place to write to.
    """
    settings = read_settings()
    cache = settings.cache_dir
    if not can_write(expand_home(cache)):
        message = f"{cache} cannot be written to; let FILLMASK_CACHE_DIR name a directory that can."
        raise CommandError(message)
    store = create_store(settings)
    is_failed = False
    for name in names:
        try:
            model = store.load(name)
        except ModelStoreError as error:
            echo(f"{name}: {error}", err=True)
            is_failed = True
            continue
        if model.facts.notice:
            echo(model.facts.notice, err=True)  # which names the preset
            is_failed = True
        else:
            kept = f"kept in {cache}" if model.engine == "openvino" else "which needs no conversion"
            echo(f"{name}: {model.engine} in {model.facts.precision}, {kept}")
    raise Exit(int(is_failed))


@presets.command(epilog=examples("fillmask presets remove bert_base_en_uncased"))
def remove(names: Names) -> None:
    """Remove the files of presets from the model store; they can be pulled again.

    A server that has one in memory goes on answering with it.
    """
    store = create_store(read_settings())
    is_failed = False
    for name in names:
        try:
            directory = _remove(store.find(name))
        except (ModelStoreError, OSError) as error:
            echo(f"{name}: {describe(error)}", err=True)
            is_failed = True
        else:
            echo(f"{name}: {directory} is removed.")
    raise Exit(int(is_failed))


def _remove(preset: Preset) -> Path:
    directory = preset.directory
    if directory is None:
        message = "There is nothing to remove: its files are not here."
        raise PresetUnavailableError(message)
    if directory == embedded_directory():
        message = "It comes with the package and stays; FILLMASK_PRESETS can leave it out."
        raise PresetUnavailableError(message)
    # It is there as a whole or not at all, whoever looks meanwhile.
    going = directory.with_name(f".{directory.name}.removed")
    directory.rename(going)
    if going.is_symlink():
        going.unlink()
    else:
        rmtree(going)
    return directory


def _judge(preset: Preset) -> str:
    if preset.unreadable:
        return "unknown"
    return "here" if preset.directory else "no head" if preset.no_head else "to pull"


def _pull(name: str, settings: Settings) -> Path:
    kept_as = name_of(name) if is_hub_handle(name) else name
    if settings.presets is not None and kept_as not in settings.presets:
        message = f"FILLMASK_PRESETS leaves out {kept_as}; add it there, or pull another preset."
        raise PresetNotFoundError(message)
    with show_progress(name) as progress:
        return resolve(
            name,
            directory=settings.model_store_dir,
            offline=settings.offline,
            verify=True,
            progress=progress,
        )


@contextmanager
def show_progress(name: str) -> Iterator[Progress]:
    """Draw a bar on a terminal, and nothing elsewhere."""
    with tqdm(desc=name, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show

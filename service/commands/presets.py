"""`fillmask presets`: which there are, and fetching their files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from tqdm import tqdm

from model_store.errors import ModelStoreError, PresetNotFoundError
from model_store.fetching.download import Progress
from model_store.fetching.hubs import is_hub_handle
from model_store.fetching.resolver import expand_home, name_of, resolve
from model_store.loading.converted_models import can_write
from model_store.store import Preset
from service.commands.environment import read_settings
from service.commands.sentences import SentenceGroup, describe, warn_of_unknown_settings
from service.models.preset_store import create_store
from service.settings import Settings


@click.group(cls=SentenceGroup)
def presets() -> None:
    """List presets and fetch their files. The settings are those of the server."""
    warn_of_unknown_settings()


@presets.command("list")
def list_presets() -> None:
    """List every preset, and whether its files are here."""
    store = create_store(read_settings())
    for preset in store.presets():
        click.echo(f"{preset.name:<28} {_judge(preset):<8} {preset.source}")
        if preset.unreadable and not store.problem():
            click.echo(f"{preset.name}: {preset.unreadable}", err=True)
    if problem := store.problem():
        click.echo(problem, err=True)
    for name, reason in store.ignored_directories().items():
        click.echo(f"{name} is ignored: {reason}", err=True)


@presets.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def pull(names: tuple[str, ...]) -> None:
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
            click.echo(f"{name}: {describe(error)}", err=True)
            is_failed = True
        else:
            click.echo(f"{name}: {directory}")
    sys.exit(int(is_failed))


@presets.command()
@click.argument("name")
def verify(name: str) -> None:
    """Probe the head of a preset whose files are here, and store what comes out."""
    store = create_store(read_settings())
    proof = store.verify(name)
    click.echo(
        f"{name}: {'verified' if proof.is_verified else 'unproven'} on {proof.text}: "
        f"mean log-probability {proof.log_probability:.2f}, "
        f"uniform {proof.uniform:.2f}, shuffled {proof.shuffled:.2f}"
    )
    stored = store.keep_proof(name, proof)
    click.echo(
        f"Stored in {stored}." if stored else "Not stored: the package brings its own proof."
    )
    sys.exit(0 if proof.is_verified else 1)


@presets.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def convert(names: tuple[str, ...]) -> None:
    """Convert presets whose files are here, and measure them on this machine.

    What comes out is kept in FILLMASK_CACHE_DIR. A server that finds it there needs neither time
    nor a place to write to.
    """
    settings = read_settings()
    cache = settings.cache_dir
    if not can_write(expand_home(cache)):
        message = f"{cache} cannot be written to; let FILLMASK_CACHE_DIR name a directory that can."
        raise click.ClickException(message)
    store = create_store(settings)
    is_failed = False
    for name in names:
        try:
            model = store.load(name)
        except ModelStoreError as error:
            click.echo(f"{name}: {error}", err=True)
            is_failed = True
            continue
        if model.facts.notice:
            click.echo(model.facts.notice, err=True)  # which names the preset
            is_failed = True
        else:
            kept = f"kept in {cache}" if model.engine == "openvino" else "which needs no conversion"
            click.echo(f"{name}: {model.engine} in {model.facts.precision}, {kept}")
    sys.exit(int(is_failed))


def _judge(preset: Preset) -> str:
    if preset.unreadable:
        return "unknown"
    return "here" if preset.directory else "no head" if preset.no_head else "to pull"


def _pull(name: str, settings: Settings) -> Path:
    kept_as = name_of(name) if is_hub_handle(name) else name
    if settings.presets is not None and kept_as not in settings.presets:
        message = f"FILLMASK_PRESETS leaves out {kept_as}; add it there, or pull another preset."
        raise PresetNotFoundError(message)
    with _show_progress(name) as progress:
        return resolve(
            name,
            directory=settings.model_store_dir,
            offline=settings.offline,
            verify=True,
            progress=progress,
        )


@contextmanager
def _show_progress(name: str) -> Iterator[Progress]:
    """Draw a bar on a terminal, and nothing elsewhere."""
    with tqdm(desc=name, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show

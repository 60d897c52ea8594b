"""`fillmask presets`: which there are, and fetching their files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from tqdm import tqdm

from model_store.converted_models import can_write
from model_store.download import Progress
from model_store.errors import ModelStoreError
from model_store.resolver import expand_home, resolve
from model_store.store import ModelStore
from service.settings import Settings


@click.group()
def presets() -> None:
    """List presets and fetch their files."""


@presets.command("list")
def list_presets() -> None:
    """List every preset, and whether its files are here."""
    for preset in ModelStore(Settings().model_store_dir).presets():
        state = "here" if preset.directory else "no head" if preset.no_head else "to pull"
        click.echo(f"{preset.name:<28} {state:<8} {preset.source}")


@presets.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def pull(names: tuple[str, ...]) -> None:
    """Fetch presets: names of the catalogue, or handles (hf://..., kaggle://...).

    What is here already is read and held against the hashes that were recorded with it. An
    interrupted pull goes on where it was. The settings are those of the server.
    """
    settings = Settings()
    is_failed = False
    for name in names:
        try:
            with _show_progress(name) as progress:
                directory = resolve(
                    name,
                    directory=settings.model_store_dir,
                    offline=settings.offline,
                    verify=True,
                    progress=progress,
                )
        except ModelStoreError as error:
            click.echo(f"{name}: {error}", err=True)
            is_failed = True
        else:
            click.echo(f"{name}: {directory}")
    sys.exit(int(is_failed))


@presets.command()
@click.argument("name")
def verify(name: str) -> None:
    """Probe the head of a preset whose files are here, and store what comes out."""
    try:
        settings = Settings()
        store = ModelStore(settings.model_store_dir, engine=settings.engine_options)
        proof = store.verify(name)
    except ModelStoreError as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"{name}: {'verified' if proof.is_verified else 'unproven'} on {proof.text}: "
        f"mean log-probability {proof.log_probability:.2f}, "
        f"uniform {proof.uniform:.2f}, shuffled {proof.shuffled:.2f}"
    )
    sys.exit(0 if proof.is_verified else 1)


@presets.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def convert(names: tuple[str, ...]) -> None:
    """Convert presets whose files are here, and measure them on this machine.

    What comes out is kept in FILLMASK_CACHE_DIR. A server that finds it there needs neither time
    nor a place to write to.
    """
    settings = Settings()
    cache = settings.cache_dir
    if not can_write(expand_home(cache)):
        message = f"{cache} cannot be written to; let FILLMASK_CACHE_DIR name a directory that can."
        raise click.ClickException(message)
    store = ModelStore(settings.model_store_dir, engine=settings.engine_options)
    is_failed = False
    for name in names:
        try:
            model = store.load(name)
        except ModelStoreError as error:
            click.echo(f"{name}: {error}", err=True)
            is_failed = True
            continue
        if model.facts.notice:
            click.echo(f"{name}: {model.facts.notice}", err=True)
            is_failed = True
        else:
            kept = f"kept in {cache}" if model.engine == "openvino" else "which needs no conversion"
            click.echo(f"{name}: {model.engine} in {model.facts.precision}, {kept}")
    sys.exit(int(is_failed))


@contextmanager
def _show_progress(name: str) -> Iterator[Progress]:
    """Draw a bar on a terminal, and nothing elsewhere."""
    with tqdm(desc=name, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show

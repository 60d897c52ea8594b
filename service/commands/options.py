"""What several commands share: how a preset is named, and help that shows how they are used."""

import sys
from typing import Annotated, Literal, TextIO

from typer import Option

from service.commands.environment import SettingsError, read_settings
from service.models.preset_store import create_store


def is_seen(stream: TextIO | None) -> bool:
    """Say whether somebody is looking at what is written there."""
    # Whoever starts the command may have closed it.
    return stream is not None and not stream.closed and stream.isatty()


def choose_markup() -> Literal["rich"] | None:
    """Return how help is drawn: with colours and frames where somebody is looking."""
    return "rich" if is_seen(sys.stdout) else None


def examples(*commands: str) -> str:
    """Return the end of a help text: commands to copy."""
    return "\n\n".join(["Examples:", *commands])


def complete_presets(incomplete: str) -> list[str]:
    """Return the names of presets that begin so, for the shell."""
    try:
        store = create_store(read_settings())
    except SettingsError:
        return []
    return [preset.name for preset in store.presets() if preset.name.startswith(incomplete)]


PresetOption = Annotated[
    str | None,
    Option(
        "--preset",
        metavar="NAME",
        help="The model; the server's default one if left out.",
        autocompletion=complete_presets,
    ),
]

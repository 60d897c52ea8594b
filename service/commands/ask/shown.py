"""How an answer is shown: tables to people, JSON to programs."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from pydantic_core import to_json
from rich.console import Console, RenderableType
from typer import echo

from service.commands.options import is_seen

_BAR = 20
Draw = Callable[[dict[str, Any]], Iterable[RenderableType]]


def show(answer: dict[str, Any], draw: Draw) -> None:
    """Write an answer to the standard output: drawn on a terminal, a line of JSON elsewhere."""
    if is_seen(sys.stdout):
        Console().print(*draw(answer), sep="\n")
    else:
        echo(to_json(answer))


def draw_bar(share: float) -> str:
    """Return a bar for a number from 0 to 1."""
    return "█" * round(_BAR * share)

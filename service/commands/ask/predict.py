"""`fillmask predict`: which tokens belong at the masks of a text."""

from collections.abc import Iterator
from typing import Annotated, Any

from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from service.commands.ask.question import ask, read_texts
from service.commands.ask.shown import draw_bar, show
from service.commands.environment import read_settings
from service.commands.options import PresetOption
from service.commands.sentences import warn_of_unknown_settings
from service.routes.fill_mask.call import read_call
from service.routes.fill_mask.request import FillMaskRequest, PairInput


def predict(
    texts: Annotated[
        list[str],
        Argument(
            metavar="TEXT...",
            help="Texts with masks; `-` stands for the standard input, a text a line.",
        ),
    ],
    *,
    preset: PresetOption = None,
    top_k: Annotated[int | None, Option(min=1, help="Predictions a mask; 5 if left out.")] = None,
    targets: Annotated[
        list[str] | None,
        Option(metavar="WORD", help="A word to score instead; may be given again."),
    ] = None,
) -> None:
    """Say which tokens belong at each [MASK] of a text.

    A table in a terminal; in a pipe, the JSON that the server would answer with. The settings are
    those of the server.
    """
    warn_of_unknown_settings()
    settings = read_settings()
    words = read_texts(targets) if targets else None
    inputs: list[str | PairInput] = [*read_texts(texts)]
    call = read_call(FillMaskRequest(inputs=inputs, top_k=top_k, targets=words))
    preset = preset or settings.default_preset
    show(call.write(preset, ask(call.request, preset, settings)), draw_masks)


def draw_masks(answer: dict[str, Any]) -> Iterator[Table]:
    """Yield a table for each mask of each text."""
    for result in answer["results"]:
        for mask in result["masks"]:
            yield _draw(mask)


def _draw(mask: dict[str, Any]) -> Table:
    table = Table(box=None, header_style="dim")
    for title, justify in (("score", "right"), ("", "left"), ("word", "left"), ("text", "left")):
        table.add_column(title, justify=justify)  # type: ignore[arg-type]  # a Literal
    for each in mask["predictions"]:
        score, word = each["score"], each.get("target") or each["token_str"]
        told = "unknown" if score is None else f"{100 * score:.2f} %"
        sequence = each["sequence"] or "This vocabulary cannot write it."
        table.add_row(told, draw_bar(score or 0.0), Text(word), Text(sequence))
    return table

"""`fillmask score`: how likely whole texts are."""

from collections.abc import Iterator
from typing import Annotated, Any

from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from model_store.tasks.score import Method, ScoreRequest
from service.commands.ask.question import ask, read_texts
from service.commands.ask.shown import show
from service.commands.environment import read_settings
from service.commands.options import PresetOption
from service.commands.sentences import warn_of_unknown_settings
from service.routes.score import write_scores


def score(
    texts: Annotated[
        list[str],
        Argument(
            metavar="TEXT...",
            help="Texts without masks; `-` stands for the standard input, a text a line.",
        ),
    ],
    *,
    preset: PresetOption = None,
    method: Annotated[
        Method,
        Option(
            help="What is masked while a token is scored: that token (pll), or the later pieces of "
            "its word as well (pll_word_l2r)."
        ),
    ] = "pll_word_l2r",
) -> None:
    """Say how likely whole texts are: their pseudo-log-likelihood.

    A table in a terminal, the likeliest first; in a pipe, the JSON that the server would answer
    with. The settings are those of the server.
    """
    warn_of_unknown_settings()
    settings = read_settings()
    preset = preset or settings.default_preset
    scored = ask(ScoreRequest(read_texts(texts), method=method), preset, settings)
    show({"preset": preset, "results": write_scores(scored)}, draw_ranks)


def draw_ranks(answer: dict[str, Any]) -> Iterator[Table]:
    """Yield one table, a row a text."""
    table = Table(box=None, header_style="dim")
    for title in ("rank", "total", "mean", "perplexity"):
        table.add_column(title, justify="right")
    table.add_column("text")
    for each in sorted(answer["results"], key=lambda result: result["rank"]):
        numbers = (each["total"], each["mean"], each["pseudo_perplexity"])
        told = [f"{number:.2f}" for number in numbers]
        table.add_row(str(each["rank"]), *told, Text(each["sequence"]))
    yield table

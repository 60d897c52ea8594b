"""`fillmask run`: a file of texts in, a file of answers out."""

import hashlib
from functools import partial
from pathlib import Path
from typing import Annotated

from tqdm import tqdm
from typer import BadParameter, Option, echo

from service.commands.bulk.blocks import Source
from service.commands.bulk.output import Order, open_output
from service.commands.bulk.question import Question, prepare
from service.commands.bulk.ray_run import Cluster, answer_on_ray
from service.commands.bulk.rows import Format, find_format
from service.commands.environment import read_settings
from service.commands.options import PresetOption
from service.commands.sentences import warn_of_unknown_settings


def run(
    *,
    source: Annotated[Path, Option("--input", exists=True, dir_okay=False, help="The texts.")],
    output: Annotated[Path, Option(dir_okay=False, help="Where the answers go, a line each.")],
    preset: PresetOption = None,
    top_k: Annotated[int | None, Option(min=1, help="Predictions a mask; 5 if left out.")] = None,
    form: Annotated[
        Format | None, Option("--format", help="Of the input, if its name lies.")
    ] = None,
    column: Annotated[
        str | None, Option(help="The column of the texts, in CSV and Parquet.")
    ] = None,
    failed: Annotated[
        Path | None, Option(dir_okay=False, help="Where the rows that failed go, with their error.")
    ] = None,
    ray: Annotated[
        str | None,
        Option(metavar="ADDRESS", help="The Ray cluster that answers: auto, HOST:PORT, or local."),
    ] = None,
    ray_workers: Annotated[
        int | None, Option(min=1, help="How many models the cluster loads; one a node if left out.")
    ] = None,
) -> None:
    """Fill the masks of every row of a file: text, JSON lines, CSV or Parquet.

    The n-th line of the output is the answer to the n-th row, or its error. The same command goes
    on where a killed one stopped. The settings are those of the server.
    """
    warn_of_unknown_settings()
    settings = read_settings()
    _require_apart(source, output, failed)
    form = form or find_format(source)
    preset = preset or settings.default_preset
    digest, lines = _look_at(source)
    order = Order(digest, form, column, preset, top_k, str(failed) if failed else None)
    question = Question(preset, form, top_k, settings)
    with open_output(output, failed, order) as file:
        rows = Source(source, form, column, settings.max_body_bytes, file.rows)
        if ray is None:
            answer = partial(prepare(question).answer, rows.blocks())
        else:
            answer = partial(answer_on_ray, Cluster(ray, ray_workers), rows, question)
        total = None if form == "parquet" else lines
        # Drawn on a terminal only.
        with tqdm(total=total, initial=file.rows, unit="row", disable=None) as bar:
            answer(file, bar.update)
    echo(f"{output}: {file.rows} rows, {file.failed} of them failed.")


def _require_apart(source: Path, output: Path, failed: Path | None) -> None:
    paths = [path.absolute() for path in (source, output, failed) if path is not None]
    if len(set(paths)) < len(paths):
        message = "Two of --input, --output and --failed name one file; give each its own."
        raise BadParameter(message)


def _look_at(source: Path) -> tuple[str, int]:
    """Return the digest of a file, and about how many lines it has."""
    digest = hashlib.blake2b(digest_size=16)
    lines = 0
    with source.open("rb") as file:
        while piece := file.read(2**20):
            digest.update(piece)
            lines += piece.count(b"\n")
    return digest.hexdigest(), lines

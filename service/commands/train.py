"""`fillmask train` and `fillmask evaluate`: a model of one's own, and how good it is."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, Field, asdict, fields
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from tqdm import tqdm
from typer import BadParameter, Option, echo

from model_store.masked_lm.training.options import TrainingOptions
from service.commands.environment import read_settings
from service.commands.options import complete_presets
from service.commands.sentences import CommandError, warn_of_unknown_settings

_PACKED = "A file of UTF-8 text, packed by gzip, bzip2, xz or Zstandard or not"
_HELP = {
    "batch_tokens": "Tokens a batch, padding counted.",
    "sequence_length": "Tokens of the longest rows.",
    "short_share": "Share of the paragraphs that are cut to one to three sentences.",
    "shuffle_buffer": "Rows held to be drawn from at random.",
    "learning_rate": "The highest one.",
    "warmup_steps": "Steps until it is reached.",
    "schedule": "How it falls to 0 after that.",
    "weight_decay": "AdamW's; biases and LayerNorm do not decay.",
    "clip_norm": "The longest gradient, of all weights together.",
    "precision": "What is computed in.",
    "stored_precision": "Of the weights in the result.",
    "mask_selection_rate": "Share of the tokens that are masked.",
    "mask_token_rate": "Share of those that become [MASK].",
    "random_token_rate": "Share of those that become any token; the rest stay.",
    "rarity_share": "Share of the rows in which rarer tokens are likelier to be masked.",
    "whole_word_share": "Share of the rows in which words are masked with all their pieces.",
    "everywhere_share": "Share of the rows in which a content word is masked at each place.",
    "measure_every": "Steps between measurements of the held-out text.",
    "save_every": "Steps between saved states.",
    "log_every": "Steps a line of the log.",
    "heldout_rows": "Rows of the held-out text to measure, at most.",
    "seed": "Of order, masks and dropout.",
}


def _read_lengths(value: str) -> tuple[int, ...]:
    """Read whole numbers with commas between them."""
    try:
        return tuple(int(part) for part in value.split(",") if part.strip())
    except ValueError:
        message = f"{value} is no list of whole numbers; give one like 16,32,64."
        raise BadParameter(message) from None


_SPECIAL: dict[str, Any] = {
    "init": Annotated[
        str,
        Option(
            help="The preset to start from: name, handle, directory.",
            autocompletion=complete_presets,
        ),
    ],
    "texts": Annotated[
        list[Path],
        Option(
            "--text",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help=f"{_PACKED}; may be given again.",
        ),
    ],
    "heldout": Annotated[
        Path, Option(exists=True, dir_okay=False, help="Such a file, to measure with only.")
    ],
    "out": Annotated[Path, Option(file_okay=False, help="Where the result is to be.")],
    "steps": Annotated[int, Option(help="Updates to make; 0 only measures.")],
    "row_lengths": Annotated[
        str,
        Option(
            metavar="TOKENS,...",
            show_default="powers of two from 16",
            help="What rows are padded to, ascending; the longest is --sequence-length.",
        ),
    ],
}


def _with_an_option_for_each_field(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the parameters of `TrainingOptions`, its types and defaults."""
    types = get_type_hints(TrainingOptions)
    command.__signature__ = Signature(  # type: ignore[attr-defined]  # which `inspect` reads
        [
            Parameter(
                field.name,
                Parameter.KEYWORD_ONLY,
                default=_find_default(field),
                annotation=_SPECIAL.get(field.name)
                or Annotated[types[field.name], Option(help=_HELP[field.name])],
            )
            for field in fields(TrainingOptions)
        ]
    )
    return command


def _find_default(field: Field[Any]) -> Any:
    if field.default is MISSING:
        return Parameter.empty
    return ",".join(map(str, field.default)) if field.name == "row_lengths" else field.default


@_with_an_option_for_each_field
def train(**options: Any) -> None:
    """Train a preset on text files, one paragraph a line.

    The same command goes on where a killed one stopped. The result is a directory in Transformers'
    format, which the server serves. Presets are found as the server finds them:
    FILLMASK_MODEL_STORE_DIR and FILLMASK_OFFLINE count.
    """
    warn_of_unknown_settings()
    settings = read_settings()
    options["texts"] = tuple(options["texts"])
    options["row_lengths"] = _read_lengths(options["row_lengths"])
    with _in_a_sentence():
        chosen = TrainingOptions(**options)
        # The runtime takes seconds to import, and every other command does without it.
        from model_store.masked_lm.training.trainer import train as train_model  # noqa: PLC0415

        with tqdm(total=chosen.steps, unit="step") as bar:
            measured = train_model(
                chosen,
                lambda record: _show(bar, record),
                directory=settings.model_store_dir,
                offline=settings.offline,
            )
    echo(json.dumps(asdict(measured)))


def evaluate(
    init: Annotated[
        str,
        Option(
            help="The preset to measure: name, handle, directory.", autocompletion=complete_presets
        ),
    ],
    heldout: Annotated[Path, Option(exists=True, dir_okay=False, help=f"{_PACKED}.")],
    rows: Annotated[int, Option(help="Rows to measure, at most.")] = 2000,
) -> None:
    """Measure a preset: loss and accuracy at masks that are the same for every model.

    Presets are found as the server finds them: FILLMASK_MODEL_STORE_DIR and FILLMASK_OFFLINE count.
    """
    warn_of_unknown_settings()
    settings = read_settings()
    with _in_a_sentence():
        from model_store.masked_lm.training.heldout import measure_preset  # noqa: PLC0415  # as above

        measured = measure_preset(
            init,
            heldout,
            rows=rows,
            directory=settings.model_store_dir,
            offline=settings.offline,
        )
    echo(json.dumps(asdict(measured)))


@contextmanager
def _in_a_sentence() -> Iterator[None]:
    """Tell what is wrong with the options: the library says it, and Keras of its backend."""
    try:
        yield
    except ValueError as error:
        raise CommandError(str(error)) from error


def _show(bar: Any, record: dict[str, Any]) -> None:
    """Move the bar with a step; write everything else above it."""
    bar.n = record.get("step", bar.n)
    if record["event"] == "step":
        bar.set_postfix(loss=f"{record['loss']:.3f}", refresh=False)
        bar.update(0)
    else:
        bar.write(json.dumps(record))

"""Measure a preset on minimal pairs: is the right sentence likelier than the wrong one beside it?

    python -m bench.minimal_pairs [DIRECTORY]

`minimal_pairs.tsv` holds a phenomenon of English grammar, a right sentence and a wrong one a line.
The two differ in what the phenomenon is about, and in nothing else. They were written for this
measurement and are never trained on. Half of them would be right by chance.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from bench.cloze import embedded
from model_store.engines import EngineOptions
from model_store.engines.fill_mask import FillMaskModel
from model_store.loading.loader import load_fill_mask_model
from model_store.tasks import TaskLimits, drive
from model_store.tasks.score import Method, ScoreRequest

PAIRS = Path(__file__).with_name("minimal_pairs.tsv")
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences of which one is right."""

    phenomenon: str
    right: str
    wrong: str


def main() -> None:
    """Print the share of pairs that a preset gets right, by phenomenon and method."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else embedded()
    model = load_fill_mask_model(directory, EngineOptions(precision="float32"))
    pairs = read_pairs()
    judgements = {method: judge(model, pairs, method) for method in METHODS}
    print("\n".join(write_table(pairs, judgements)))
    for pair, *are_right in zip(pairs, *judgements.values(), strict=True):
        if not all(are_right):
            print(f"{pair.phenomenon:28} {pair.right:60} {pair.wrong}")


def read_pairs() -> list[Pair]:
    """Return all pairs, those of a phenomenon together."""
    return [Pair(*line.split("\t")) for line in PAIRS.read_text("utf-8").splitlines()]


def judge(model: FillMaskModel, pairs: Sequence[Pair], method: Method) -> list[bool]:
    """Say for each pair whether its right sentence has the higher total."""
    totals = score(model, [text for pair in pairs for text in (pair.right, pair.wrong)], method)
    return [right > wrong for right, wrong in zip(totals[::2], totals[1::2], strict=True)]


def score(model: FillMaskModel, texts: Sequence[str], method: Method) -> list[float]:
    """Return the pseudo-log-likelihood of each text."""
    task = ScoreRequest(texts, method=method).start(model, TaskLimits(max_rows=sys.maxsize))
    answer = drive(task, model.predict, model.facts.batch_tokens)
    return [text.total for text in answer]


def write_table(pairs: Sequence[Pair], judgements: dict[Method, list[bool]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield f"| phenomenon | pairs | {' | '.join(f'`{method}`' for method in judgements)} |"
    yield "|---|---|" + "---|" * len(judgements)
    places = defaultdict(list)
    for index, pair in enumerate(pairs):
        places[pair.phenomenon].append(index)
    for name, indices in {**places, "all": range(len(pairs))}.items():
        shares = (
            f"{sum(is_right[index] for index in indices) / len(indices):.1%}"
            for is_right in judgements.values()
        )
        yield f"| {name.replace('_', ' ')} | {len(indices)} | {' | '.join(shares)} |"


if __name__ == "__main__":
    main()

"""Measure what joint decoding is worth on text that a preset has not seen.

    python -m bench.joint_decoding HELDOUT [DIRECTORY]

HELDOUT is a text, compressed or not, with a paragraph a line. Two words side by side are masked in
50 of its sentences, and three in 50 more. Both ways of decoding fill them, and the same chain of
conditional probabilities weighs both. It ends with 1 where the joint filling is ever less likely.
"""

import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from bench.cloze import embedded
from model_store.engines import EngineOptions
from model_store.engines.fill_mask import FillMaskModel
from model_store.loading.loader import load_fill_mask_model
from model_store.masked_lm.training.feed.text_file import TextFile
from model_store.tasks.joint.filled_sequence import FilledSequence
from model_store.tasks.joint.request import JointRequest, JointText
from model_store.tasks.limits import TaskLimits
from model_store.tasks.task import Done, advance
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores

SENTENCES = 50
WORDS = (6, 25)
WIDTHS = (1, 4, 8, 32)
ROWS = 64
"""In one batch."""

_sentences = re.compile(r"[A-Z][^.!?]*[.!?](?=\s|$)")


@dataclass(frozen=True, slots=True)
class Cloze:
    """A sentence with masks side by side, and the words that stood there."""

    text: str
    words: tuple[str, ...]


def main() -> None:
    """Print the figures, a line a width of the beam."""
    directory = Path(sys.argv[2]) if len(sys.argv) > 2 else embedded()
    model = load_fill_mask_model(directory, EngineOptions(precision="float32"))
    sentences = [*read_sentences(Path(sys.argv[1]))]
    rng = random.Random(1)  # noqa: S311  # nosec B311  # a choice of sentences is no secret
    rng.shuffle(sentences)
    candidates = iter(sentences)
    clozes = [c for masks in (2, 3) for c in make_clozes(model, candidates, masks, rng)]
    print("| beam | worse | as likely | likelier | gain, nats | words | all words of a run |")
    print("|---|---|---|---|---|---|---|")
    worst = 0.0
    for width in WIDTHS:
        answers = fill(model, [cloze.text for cloze in clozes], width)
        gains = [each.sequences[0].log_prob - each.independent.log_prob for each in answers]
        worst = min(worst, *gains)
        counts = (sum(g < 0 for g in gains), gains.count(0), sum(g > 0 for g in gains))
        best = judge(clozes, [each.sequences[0] for each in answers])
        print(f"| {width} | {' | '.join(map(str, counts))} | {fmean(gains):.3f} | {best} |")
    print(f"| independent | | | | | {judge(clozes, [each.independent for each in answers])} |")
    sys.exit(worst < 0)


def read_sentences(path: Path) -> Iterator[str]:
    """Yield the sentences of a text that are neither short nor long."""
    text = TextFile(path)
    while line := text.read_line():
        for sentence in _sentences.findall(line):
            if WORDS[0] <= len(sentence.split()) <= WORDS[1]:
                yield sentence


def make_clozes(
    model: FillMaskModel, sentences: Iterator[str], masks: int, rng: random.Random
) -> list[Cloze]:
    """Return sentences in which so many words are masked, each of them one vocabulary entry."""
    clozes: list[Cloze] = []
    while len(clozes) < SENTENCES:
        words = next(sentences).split(" ")
        starts = [
            start
            for start in range(len(words) - masks + 1)
            if all(is_entry(model, word) for word in words[start : start + masks])
        ]
        if starts:
            start = rng.choice(starts)
            masked = [*words[:start], *["[MASK]"] * masks, *words[start + masks :]]
            chosen = tuple(word.lower() for word in words[start : start + masks])
            clozes.append(Cloze(" ".join(masked), chosen))
    return clozes


def is_entry(model: FillMaskModel, word: str) -> bool:
    """Say whether a word is of letters, and one token between the special ones."""
    return word.isalpha() and len(model.tokenize(word)) == 3  # [CLS], [SEP]


def fill(model: FillMaskModel, texts: Sequence[str], width: int) -> list[JointText]:
    """Fill all texts together."""
    request = JointRequest(texts, sequences=1, beam_width=width)
    task = request.start(model, TaskLimits(max_rows=sys.maxsize))
    step = advance(task)
    while not isinstance(step, Done):
        step = advance(task, [*_predict(model, step)])
    return step.answer


def _predict(model: FillMaskModel, rows: Sequence[Encoding]) -> Iterator[list[MaskScores]]:
    for start in range(0, len(rows), ROWS):
        yield from model.predict(rows[start : start + ROWS])


def judge(clozes: Sequence[Cloze], filled: Sequence[FilledSequence]) -> str:
    """Return how many words are those that stood there, and of how many runs all are."""
    right = [
        [mask.token_str == word for mask, word in zip(s.spans[0].masks, c.words, strict=True)]
        for c, s in zip(clozes, filled, strict=True)
    ]
    words = [is_right for run in right for is_right in run]
    return f"{sum(words)} of {len(words)} | {sum(map(all, right))} of {len(right)}"


if __name__ == "__main__":
    main()

"""Documents become rows of tokens: some short as users' texts are, some packed full."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

import numpy as np

from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer

_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\W\da-z_])")  # noqa: RUF001
_MOST_SENTENCES = 3
_FEWEST_TOKENS = 3


def split_sentences(paragraph: str) -> list[str]:
    """Return the sentences of a paragraph: cut where a capital follows a full stop.

    Crude on purpose: abbreviations cut too often, and a row that begins there does no harm.
    """
    ends = [match.end() for match in _SENTENCE_END.finditer(paragraph)]
    cuts = [0, *ends, len(paragraph)]
    return [paragraph[a:b].strip() for a, b in pairwise(cuts)]


def make_rows(
    document: Sequence[str],
    tokenizer: SubwordTokenizer,
    *,
    sequence_length: int,
    short_share: float,
    rng: np.random.Generator,
) -> Iterator[list[int]]:
    """Yield the rows of a document, `[CLS]` and `[SEP]` included.

    Args:
        document: its paragraphs.
        tokenizer: that of the model.
        sequence_length: the most tokens a row has; what is longer goes on in the next.
        short_share: how likely a paragraph is cut to groups of one to three sentences; the rest
            is joined, and cut to rows of full length.
        rng: decides.
    """
    is_short = rng.random(len(document)) < short_share
    groups = [
        group
        for paragraph, short in zip(document, is_short, strict=True)
        if short
        for group in _group_sentences(split_sentences(paragraph), rng)
    ]
    packed = [paragraph for paragraph, short in zip(document, is_short, strict=True) if not short]
    room = sequence_length - 2
    texts = tokenizer.encode_batch([*groups, *packed])
    runs = [*texts[: len(groups)], list(chain.from_iterable(texts[len(groups) :]))]
    for run in runs:
        for start in range(0, len(run), room):
            tokens = run[start : start + room]
            if len(tokens) >= _FEWEST_TOKENS:
                yield [tokenizer.cls_token_id, *tokens, tokenizer.sep_token_id]


def _group_sentences(sentences: Sequence[str], rng: np.random.Generator) -> Iterator[str]:
    start = 0
    while start < len(sentences):
        end = start + int(rng.integers(1, _MOST_SENTENCES + 1))
        yield " ".join(sentences[start:end])
        start = end

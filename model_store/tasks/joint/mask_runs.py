"""Masks that stand side by side, and texts in which they are more or fewer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from model_store.text.encoding import Encoding
from model_store.text.long_text import LongText


@dataclass(frozen=True, slots=True)
class MaskRun:
    """Masks with no token between them.

    Attributes:
        masks: their indices among the masks of the text.
        start: where the first one starts in the text, in characters.
        end: where the last one ends.
    """

    masks: range
    start: int
    end: int


def find_runs(text: Encoding) -> list[MaskRun]:
    """Return the runs of a text, in order."""
    steps = enumerate(text.mask_positions.tolist())
    groups = [[mask for mask, _ in group] for _, group in groupby(steps, lambda s: s[1] - s[0])]
    return [
        MaskRun(
            range(group[0], group[-1] + 1),
            text.mask_spans[group[0]][0],
            text.mask_spans[group[-1]][1],
        )
        for group in groups
    ]


def stretch(text: LongText, runs: Sequence[MaskRun], lengths: Sequence[int]) -> LongText:
    """Return a text in which each run has another length.

    Args:
        text: the text.
        runs: all of its runs.
        lengths: how many masks each is to have, at least 1.
    """
    whole, positions = text.encoding, text.encoding.mask_positions
    # The tokens of the old text that the new one has, each as often as it has it.
    kept = []
    at = 0
    for run, length in zip(runs, lengths, strict=True):
        first, last = positions[[run.masks[0], run.masks[-1]]]
        kept += [np.arange(at, first), np.full(length, first)]
        at = last + 1
    source = np.concatenate([*kept, np.arange(at, len(whole.token_ids))])
    mask_spans = [
        (run.start, run.end)
        for run, length in zip(runs, lengths, strict=True)
        for _ in range(length)
    ]
    is_mask = np.isin(source, positions)
    spans = text.spans[source]
    spans[is_mask] = mask_spans
    stretched = replace(
        whole,
        token_ids=whole.token_ids[source],
        mask_positions=np.flatnonzero(is_mask),
        mask_spans=tuple(mask_spans),
    )
    more = len(source) - len(whole.token_ids)
    return LongText(stretched, spans, range(text.own.start, text.own.stop + more))

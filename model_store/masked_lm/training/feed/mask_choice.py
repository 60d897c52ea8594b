"""Which tokens of a row are asked for: not only any, but words, rare ones, and wherever they stand.

Masks that are drawn evenly ask for function words and pieces most of the time, and a model learns
little from those. Each share here is one of rows, so that a model sees the other kind as well.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.masked_lm.training.feed.corpus import Corpus
from model_store.masked_lm.training.options import TrainingOptions

_COUNTED = 1_000_000
"""Tokens: enough to tell the usual from the rare, and read in a second or two."""

_RARE = 2e-4
"""The frequency whose weight is 1; that of others falls with the root of theirs."""

_FUNCTION_WORD = 1e-3
"""What is more frequent is no content word: articles, pronouns, punctuation."""


class MaskChoice:
    """Chooses the masks of rows one by one."""

    def __init__(self, options: TrainingOptions, tokenizer: SubwordTokenizer) -> None:
        """Count the tokens at the start of the texts.

        Raises:
            ValueError: a text cannot be used.
        """
        self._options = options
        frequencies = _count_tokens(options.texts, tokenizer)
        self._weights = np.sqrt(_RARE / frequencies)
        self._is_content = frequencies < _FUNCTION_WORD
        begins = map(tokenizer.spelling.begins_word, tokenizer.vocabulary)
        self._continues = ~np.fromiter(begins, np.bool_)
        self._special = frozenset(tokenizer.special_token_ids)

    def choose(self, row: Sequence[int], most: int, rng: np.random.Generator) -> list[int]:
        """Return positions in ascending order: the row's share of masks, but one at the least.

        What belongs together is masked together where there is still room for all of it.

        Args:
            row: its tokens.
            most: how many masks there is room for.
            rng: decides.
        """
        options = self._options
        by_rarity, whole_words, everywhere = rng.random(3) < (
            options.rarity_share,
            options.whole_word_share,
            options.everywhere_share,
        )
        units = self._words(row) if whole_words else [[index] for index in self._open(row)]
        if everywhere:
            units = self._join_equal(row, units)
        tokens = np.asarray(row)
        weights = [self._weights[tokens[unit]].sum() if by_rarity else len(unit) for unit in units]
        # The smallest of such keys are a weighted sample (Efraimidis & Spirakis, 2006).
        keys = rng.standard_exponential(len(units)) / np.asarray(weights, np.float64)
        available = sum(map(len, units))
        wanted = min(most, max(1, round(available * options.mask_selection_rate)))
        return _take((units[index] for index in np.argsort(keys)), wanted, most)

    def _open(self, row: Sequence[int]) -> list[int]:
        return [index for index, token in enumerate(row) if token not in self._special]

    def _words(self, row: Sequence[int]) -> list[list[int]]:
        words: list[list[int]] = []
        for index in self._open(row):
            if words and self._continues[row[index]] and words[-1][-1] == index - 1:
                words[-1].append(index)
            else:
                words.append([index])
        return words

    def _join_equal(self, row: Sequence[int], units: list[list[int]]) -> list[list[int]]:
        """Make one unit of content words that are the same."""
        joined: dict[tuple[int, ...], list[int]] = {}
        for unit in units:
            spelt = tuple(row[index] for index in unit)
            # Function words stand everywhere: they stay as many units as there are.
            key = spelt if self._is_content[list(spelt)].any() else (-1, unit[0])
            joined.setdefault(key, []).extend(unit)
        return list(joined.values())


def _take(units: Iterable[list[int]], wanted: int, most: int) -> list[int]:
    """Return the positions of the first units, of each one that fits in; of one at the least."""
    taken: list[int] = []
    first: list[int] = []
    for unit in units:
        first = first or unit
        if len(taken) + len(unit) <= (wanted if taken else most):
            taken.extend(unit)
        if len(taken) >= wanted:
            break
    return sorted(taken or first[:most])


def _count_tokens(paths: Sequence[Path], tokenizer: SubwordTokenizer) -> NDArray[np.float64]:
    """Return how frequent each entry is, in the first texts; what is not there counts once."""
    counts = np.ones(tokenizer.vocabulary_size, np.int64)
    corpus = Corpus(paths)
    for document in corpus.read_epoch():
        tokens = np.concatenate(
            [np.array(ids, np.int64) for ids in tokenizer.encode_batch(document)]
        )
        counts += np.bincount(tokens, minlength=len(counts))
        if counts.sum() > _COUNTED:
            break
    corpus.close()
    frequencies: NDArray[np.float64] = counts / counts.sum()
    return frequencies

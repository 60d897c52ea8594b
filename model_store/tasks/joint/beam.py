"""Filling the masks of one text one after another, each with those before it in place.

At each step the mask that is filled next is the one that the model is most certain of: whose
likeliest entry has the highest probability, the first one of equals. So the order depends on what
was filled, and on nothing else. Whatever fills the masks is reached along one path only, so the
products of the conditional probabilities are a distribution over all that can fill them:

    log P(filling) = sum over steps of log P(entry of the step's mask | entries of the steps before)

A beam as wide as there are fillings finds the best ones exactly. A narrower one keeps the best at
each step. One more filling is carried along to the end, whether the beam keeps it or not: the
likeliest entry of each mask with all others masked. So no answer is worse than that.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from model_store.tasks.task import Task
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores

Row: TypeAlias = Mapping[int, MaskScores]
"""What came back for one encoding: the entries of each mask that is still there."""


@dataclass(frozen=True, slots=True)
class Step:
    """One mask that was filled.

    Attributes:
        mask: which one, by its index among the masks of the text.
        token: the entry.
        log_prob: its log-probability, given all that was filled before.
    """

    mask: int
    token: int
    log_prob: float


@dataclass(frozen=True, slots=True)
class Path:
    """Masks that were filled, in the order in which they were."""

    steps: tuple[Step, ...] = ()

    @property
    def log_prob(self) -> float:
        """The log-probability of all of them together, in nats."""
        return sum(step.log_prob for step in self.steps)

    @property
    def mean_log_prob(self) -> float:
        """The log-probability a mask: by this, paths of different lengths are compared."""
        return self.log_prob / len(self.steps)

    @property
    def filling(self) -> dict[int, int]:
        """The entry of each mask."""
        return {step.mask: step.token for step in self.steps}

    def extend(self, step: Step) -> "Path":
        """Return the path that fills one more mask."""
        return Path((*self.steps, step))


@dataclass(frozen=True, slots=True)
class Beam:
    """What was found for one text.

    Attributes:
        paths: all masks filled, the likeliest first.
        alone: the path of what each mask has when it is filled by itself.
        marginals: the log-probability of an entry with every mask still there, by mask and entry;
            of every entry in `paths` and `alone`.
    """

    paths: tuple[Path, ...]
    alone: Path
    marginals: Mapping[tuple[int, int], float]


def count_rows(masks: int, width: int) -> int:
    """Return the most rows that so many masks take: one at first, and one for the marginals."""
    return 2 + (masks - 1) * (width + 2)


def search_beam(text: Encoding, width: int) -> Task[Beam]:
    """Fill all masks of a text.

    Args:
        text: with at least one mask; what it asks of them does not count.
        width: how many paths are kept at each step.
    """
    (scores,) = yield [_open(text, Path(), width)]
    first = dict(enumerate(scores))
    likeliest = {mask: int(scores.token_ids[0]) for mask, scores in first.items()}
    beam = _grow([(Path(), first)], width)
    alone = _follow(Path(), first, likeliest)
    for _ in range(1, len(first)):
        paths = _join(beam, alone)
        encodings = [_open(text, path, width) for path in paths]
        *seen, aimed = yield [*encodings, _aim(_open(text, alone, width), likeliest.values())]
        rows = {path: _pair(first, path, scores) for path, scores in zip(paths, seen, strict=True)}
        beam = _grow([(path, rows[path]) for path in beam], width)
        alone = _follow(alone, rows[alone], likeliest, _pair(first, alone, aimed))
    paths = sorted(_join(beam, alone), key=lambda path: -path.log_prob)
    used = {pair for path in paths for pair in path.filling.items()}
    marginals = _list(first)
    if not used <= marginals.keys():
        # An entry that only what was filled made likely is not among the first row's likeliest.
        (aimed,) = yield [_aim(_open(text, Path(), width), (token for _, token in used))]
        marginals = _list(dict(enumerate(aimed))) | marginals
    return Beam(tuple(paths), alone, {pair: marginals[pair] for pair in used})


def _open(text: Encoding, path: Path, top_k: int) -> Encoding:
    """Return a text with some masks filled, that asks for the likeliest entries of the others."""
    filling = path.filling
    token_ids = text.token_ids.copy()
    token_ids[text.mask_positions[list(filling)]] = list(filling.values())
    rest = [mask for mask in range(len(text.mask_positions)) if mask not in filling]
    return replace(
        text,
        token_ids=token_ids,
        mask_positions=text.mask_positions[rest],
        mask_spans=tuple(text.mask_spans[mask] for mask in rest),
        target_ids=None,
        top_k=top_k,
    )


def _aim(text: Encoding, tokens: Iterable[int]) -> Encoding:
    """Return a text that asks for some entries, whichever are the likeliest."""
    target_ids = np.unique(np.fromiter(tokens, np.int32))
    return replace(text, target_ids=target_ids, top_k=len(target_ids))


def _pair(masks: Iterable[int], path: Path, scores: Sequence[MaskScores]) -> Row:
    """Name the masks that a row's scores belong to: those that its path has not filled."""
    filling = path.filling
    return dict(zip((mask for mask in masks if mask not in filling), scores, strict=True))


def _grow(beam: Sequence[tuple[Path, Row]], width: int) -> list[Path]:
    """Return the best paths that fill one more mask."""
    steps = (
        (path, Step(mask, token, log_prob))
        for path, row in beam
        for mask in [_find_most_certain(row)]
        for token, log_prob in _entries(row[mask])
    )
    best = heapq.nlargest(width, steps, key=lambda pair: pair[0].log_prob + pair[1].log_prob)
    return [path.extend(step) for path, step in best]


def _follow(path: Path, row: Row, likeliest: Mapping[int, int], aimed: Row | None = None) -> Path:
    """Return the path that fills one more mask with the entry that it has by itself."""
    mask = _find_most_certain(row)
    known = dict(_entries(aimed[mask])) if aimed else {}
    known |= _entries(row[mask])
    token = likeliest[mask]
    return path.extend(Step(mask, token, known[token]))


def _find_most_certain(row: Row) -> int:
    return max(row, key=lambda mask: row[mask].log_probabilities[0])


def _join(beam: Sequence[Path], alone: Path) -> list[Path]:
    return [*beam] if alone in beam else [*beam, alone]


def _entries(scores: MaskScores) -> Iterator[tuple[int, float]]:
    return zip(scores.token_ids.tolist(), scores.log_probabilities.tolist(), strict=True)


def _list(row: Row) -> dict[tuple[int, int], float]:
    """Return the log-probabilities of a row by mask and entry."""
    return {
        (mask, token): log_prob
        for mask, scores in row.items()
        for token, log_prob in _entries(scores)
    }

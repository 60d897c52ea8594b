"""Filling masks together: exact where the beam is wide enough, never worse than one by one."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_store.tasks.joint.beam import Path, count_rows, search_beam
from model_store.text.encoding import Encoding
from score_tables import ScoreTable

MASK = 99

tables = st.builds(ScoreTable, st.integers(1, 4), st.integers(0, 2**32 - 1))


@st.composite
def texts(draw: st.DrawFn, most: int = 3) -> Encoding:
    """Return a text with masks in some places."""
    masked = draw(st.lists(st.booleans(), min_size=1, max_size=6).filter(any))
    masked = [flag and sum(masked[:index]) < most for index, flag in enumerate(masked)]
    token_ids = np.array([MASK if flag else index for index, flag in enumerate(masked)], np.int32)
    positions = np.flatnonzero(token_ids == MASK)
    return Encoding("", token_ids, positions, ((0, 0),) * len(positions), None, top_k=1)


def weigh(table: ScoreTable, text: Encoding, filling: tuple[int, ...]) -> float:
    """Return the log-probability of a filling: the most certain mask is filled first, and so on."""
    token_ids, rest, total = text.token_ids.tolist(), dict(enumerate(text.mask_positions)), 0.0
    while rest:
        seen = {mask: table.log_probabilities(token_ids, at) for mask, at in rest.items()}
        mask = min(seen, key=lambda mask: (-seen[mask].max(), mask))
        total += float(seen[mask][filling[mask]])
        token_ids[rest.pop(mask)] = filling[mask]
    return total


def read(path: Path) -> tuple[int, ...]:
    """Return the entries of a path in the order of the masks."""
    return tuple(token for _, token in sorted(path.filling.items()))


@given(tables, texts())
def test_full_beam_is_an_exhaustive_search(table: ScoreTable, text: Encoding) -> None:
    """Every filling comes back, with its probability, in their order; they add up to one."""
    masks = len(text.mask_positions)
    fillings = list(product(range(table.vocabulary_size), repeat=masks))
    exhaustive = {filling: weigh(table, text, filling) for filling in fillings}
    found = table.drive(search_beam(text, width=len(fillings)))
    assert [read(path) for path in found.paths] == sorted(fillings, key=lambda f: -exhaustive[f])
    assert {read(p): pytest.approx(p.log_prob, abs=1e-5) for p in found.paths} == exhaustive
    assert sum(math.exp(path.log_prob) for path in found.paths) == pytest.approx(1, abs=1e-5)


@given(tables, texts())
def test_beam_as_wide_as_all_but_the_last_mask_finds_the_best(
    table: ScoreTable, text: Encoding
) -> None:
    """Nothing is cut off before the last step, and there the best one stays."""
    masks = len(text.mask_positions)
    fillings = product(range(table.vocabulary_size), repeat=masks)
    best = max(fillings, key=lambda filling: weigh(table, text, filling))
    found = table.drive(search_beam(text, width=table.vocabulary_size ** (masks - 1)))
    assert read(found.paths[0]) == best


@given(tables, st.integers(1, 4))
def test_each_step_keeps_the_likeliest_so_far(table: ScoreTable, width: int) -> None:
    """Of two masks: the best of those that go on from the likeliest entries of the first one."""
    token_ids = np.array([MASK, MASK], np.int32)
    text = Encoding("", token_ids, np.array([0, 1]), ((0, 0),) * 2, None, top_k=1)
    start = [table.log_probabilities(token_ids.tolist(), mask) for mask in (0, 1)]
    first = 0 if start[0].max() >= start[1].max() else 1
    kept = np.argsort(-start[first])[:width]
    fillings = [f for f in product(range(table.vocabulary_size), repeat=2) if f[first] in kept]
    best = sorted(fillings, key=lambda filling: -weigh(table, text, filling))[:width]
    found = table.drive(search_beam(text, width))
    assert [read(path) for path in found.paths if path != found.alone or read(path) in best] == best


@given(tables, texts(most=4), st.integers(1, 4))
def test_narrow_beam_is_never_worse_than_each_mask_alone(
    table: ScoreTable, text: Encoding, width: int
) -> None:
    """The likeliest entry of each mask by itself is weighed by the same steps."""
    found = table.drive(search_beam(text, width))
    start = text.token_ids.tolist()
    alone = tuple(
        int(table.log_probabilities(start, at).argmax()) for at in text.mask_positions.tolist()
    )
    assert read(found.alone) == alone
    assert found.alone.log_prob == pytest.approx(weigh(table, text, alone), abs=1e-5)
    assert found.alone in found.paths
    assert found.paths[0].log_prob >= found.alone.log_prob


@given(tables, texts(most=4), st.integers(1, 4))
def test_paths_say_what_each_step_and_each_mask_alone_gave(
    table: ScoreTable, text: Encoding, width: int
) -> None:
    """Conditional: with what was filled before. Marginal: with every mask still there."""
    found = table.drive(search_beam(text, width))
    start = text.token_ids.tolist()
    for path in found.paths:
        token_ids = text.token_ids.tolist()
        for step in path.steps:
            at = int(text.mask_positions[step.mask])
            conditional = table.log_probabilities(token_ids, at)[step.token]
            assert step.log_prob == conditional
            marginal = table.log_probabilities(start, at)[step.token]
            assert found.marginals[step.mask, step.token] == marginal
            token_ids[at] = step.token


@given(tables, texts(most=4), st.integers(1, 4))
def test_no_more_rows_are_taken_than_were_counted(
    table: ScoreTable, text: Encoding, width: int
) -> None:
    """So whoever counts them first can refuse what is too much."""
    table.drive(search_beam(text, width))
    assert sum(table.rounds) <= count_rows(len(text.mask_positions), width)


def test_one_mask_is_one_row() -> None:
    """Its likeliest entries are all that there is to know."""
    table = ScoreTable(4, seed=0)
    text = Encoding("", np.array([1, MASK], np.int32), np.array([1]), ((0, 0),), None, top_k=1)
    found = table.drive(search_beam(text, width=3))
    assert table.rounds == [1]
    assert len(found.paths) == 3

"""Which precision is taken, and how large a batch is: measured on models that are made up."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from fakes import FakeEngine, ManualClock, make_model, score_by_id
from model_store.batch import Batch, Scores
from model_store.engines.engine import Precision
from model_store.errors import ModelLoadError
from model_store.fill_mask import FillMaskModel
from model_store.tuning import measure_batch_tokens, tune

SLOW_S, FAST_S = 0.003, 0.001


class Candidates:
    """Models in several precisions, each with its time and the share of masks that it gets wrong.

    They are made up: what is tested is the choice.
    """

    def __init__(
        self, wrong: Mapping[Precision, float], seconds: Mapping[Precision, float]
    ) -> None:
        """Say how each behaves."""
        self._wrong = wrong
        self._seconds = seconds
        self.clock = ManualClock()

    def load(self, precision: Precision) -> FillMaskModel:
        """Make the model in a precision."""
        chance = np.random.default_rng(0)

        def answer(batch: Batch, k: int) -> Scores:
            self.clock.advance(self._seconds[precision])
            scores = score_by_id(batch, k)
            wrong = chance.random(len(scores.token_ids)) < self._wrong[precision]
            scores.token_ids[wrong, 0] = 9
            return scores

        model = make_model(FakeEngine(answer=answer))
        model.facts = replace(model.facts, precision=precision)
        return model


ALL: tuple[Precision, ...] = ("float32", "bfloat16", "float16")


@pytest.fixture(autouse=True)
def _everything_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the few words of the fake vocabulary pass as the model's language."""
    monkeypatch.setattr("model_store.masked_sample.can_read", lambda *_: True)


@pytest.mark.parametrize(
    ("wrong", "fastest", "chosen"),
    [
        ({}, "bfloat16", "bfloat16"),
        ({}, "float16", "float16"),
        ({}, "float32", "float32"),
        ({"bfloat16": 0.05}, "bfloat16", "float32"),
    ],
)
def test_the_fastest_that_agrees_is_taken(
    wrong: Mapping[Precision, float], fastest: Precision, chosen: Precision
) -> None:
    """Speed decides among those that answer like float32, and only among those."""
    seconds = {p: FAST_S if p == fastest else SLOW_S for p in ALL}
    candidates = Candidates({p: wrong.get(p, 0.0) for p in ALL}, seconds)
    model = tune(candidates.load, "auto", ALL, candidates.clock)
    assert model.facts.precision == chosen
    assert model.facts.agreement >= 0.995


def test_a_precision_that_is_asked_for_is_taken_and_its_agreement_said() -> None:
    """Slow or not, right or not: the caller knows best, and is told."""
    candidates = Candidates(
        {"float32": 0, "bfloat16": 0.5}, {"float32": FAST_S, "bfloat16": SLOW_S}
    )
    facts = tune(candidates.load, "bfloat16", ALL, candidates.clock).facts
    assert facts.precision == "bfloat16"
    assert 0.3 < facts.agreement < 0.7


@pytest.mark.parametrize(("wrong", "is_offered"), [(0.0, True), (0.1, False)])
def test_integers_are_offered_only_where_they_agree(wrong: float, is_offered: bool) -> None:
    """98 % of the first predictions must stay."""
    candidates = Candidates({"float32": 0, "int8": wrong}, {"float32": FAST_S, "int8": FAST_S})
    if is_offered:
        assert tune(candidates.load, "int8", ALL, candidates.clock).facts.precision == "int8"
    else:
        with pytest.raises(ModelLoadError, match="98% are needed"):
            tune(candidates.load, "int8", ALL, candidates.clock)


def test_batch_is_as_large_as_pays() -> None:
    """A cost a batch makes large ones worth it; a cost a token does not."""
    assert measure(lambda batch: 0.002 + 1e-6 * batch.token_ids.size) >= 1024
    assert measure(lambda batch: 0.0002 * batch.token_ids.size) == 32


def test_batch_never_makes_others_wait_long() -> None:
    """However much a larger one would pay: a quarter of a second is enough."""
    assert measure(lambda _: 0.3) == 32


def measure(seconds: Callable[[Batch], float]) -> int:
    """Return how many tokens make a batch of a model that takes so long."""
    clock = ManualClock()

    def answer(batch: Batch, k: int) -> Scores:
        clock.advance(seconds(batch))
        return score_by_id(batch, k)

    return measure_batch_tokens(make_model(FakeEngine(answer=answer)), clock)

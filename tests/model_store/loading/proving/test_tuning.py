"""Which precision is taken: measured on models that are made up, on machines that are not here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from fakes import FakeEngine, ManualClock, make_model, score_by_id
from model_store.engines.batches.batch import Batch, Scores
from model_store.engines.engine import Precision
from model_store.engines.fill_mask import FillMaskModel
from model_store.engines.openvino import list_precisions
from model_store.errors import HeadUnprovenError
from model_store.loading.proving.tuning import tune

TEXTS = {"own": "the cat sat . the dog sat . paris is the capital of france . " * 4}

AMX = ("BF16", "WINOGRAD", "FP32", "FP16", "INT8", "BIN", "EXPORT_IMPORT")
AVX512_BF16 = ("BF16", "WINOGRAD", "FP32", "INT8", "BIN", "EXPORT_IMPORT")
AVX2 = ("FP32", "INT8", "BIN", "EXPORT_IMPORT")
"""What OpenVINO says of processors; the first and the last were read from real ones."""

GPU: tuple[Precision, ...] = ("float32", "bfloat16")
"""What Keras' engines say where they see an accelerator."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a model behaves in a precision.

    Attributes:
        token_s: the seconds of a token.
        batch_s: the seconds of a batch, whatever its size.
        cold_s: the seconds that the first run of a shape takes more.
        wrong: the share of masks whose first prediction is another.
        moved: how much of its probability the first prediction loses.
    """

    token_s: float
    batch_s: float = 0.0
    cold_s: float = 0.0
    wrong: float = 0.0
    moved: float = 0.0


class Machine:
    """Models in several precisions, and the clock that they take their time from."""

    def __init__(self, behaviours: Mapping[Precision, Behaviour]) -> None:
        """Say how each behaves."""
        self._behaviours = behaviours
        self.clock = ManualClock()
        self.loads: list[Precision] = []

    def load(self, precision: Precision) -> FillMaskModel:
        """Make the model in a precision."""
        self.loads.append(precision)
        behaviour = self._behaviours[precision]
        chance = np.random.default_rng(0)
        seen: set[tuple[int, ...]] = set()

        def answer(batch: Batch, k: int) -> Scores:
            self.clock.advance(behaviour.batch_s + behaviour.token_s * batch.token_ids.size)
            if batch.token_ids.shape not in seen:
                seen.add(batch.token_ids.shape)
                self.clock.advance(behaviour.cold_s)
            scores = score_by_id(batch, k)
            wrong = chance.random(len(scores.token_ids)) < behaviour.wrong
            scores.token_ids[wrong] = scores.token_ids[wrong][:, ::-1]
            scores.log_probabilities[:, 0] += np.log1p(-behaviour.moved)
            return scores

        model = make_model(FakeEngine(answer=answer))
        model.facts = replace(model.facts, precision=precision)
        return model

    def tune(self, available: tuple[Precision, ...], wanted: Precision = "auto") -> FillMaskModel:
        """Tune on this machine."""
        return tune(self.load, wanted, available, TEXTS, self.clock)


@pytest.mark.parametrize(
    ("capabilities", "precisions"),
    [
        (AMX, ("float32", "bfloat16", "float16")),
        (AVX512_BF16, ("float32", "bfloat16")),
        (AVX2, ("float32",)),
    ],
)
def test_precisions_are_those_that_the_processor_computes_in(
    capabilities: tuple[str, ...], precisions: tuple[Precision, ...]
) -> None:
    """OpenVINO would emulate others, slowly."""
    assert list_precisions(capabilities) == precisions


@pytest.mark.parametrize(
    ("available", "behaviours", "chosen"),
    [
        pytest.param(
            list_precisions(AMX),
            {
                "float32": Behaviour(1 / 12_500, moved=0.0),
                "bfloat16": Behaviour(1 / 36_000, moved=0.005),
                "float16": Behaviour(1 / 9_300, moved=0.001),
            },
            "bfloat16",
            id="AMX",
        ),
        pytest.param(
            list_precisions(AMX),
            {
                "float32": Behaviour(1 / 12_500, cold_s=1.0),
                "bfloat16": Behaviour(1 / 36_000, wrong=0.05),
                "float16": Behaviour(1 / 9_300),
            },
            "float32",
            id="AMX, a model that bfloat16 spoils, and float32 met cold",
        ),
        pytest.param(
            list_precisions(AVX512_BF16),
            {"float32": Behaviour(1 / 9_000), "bfloat16": Behaviour(1 / 16_000)},
            "bfloat16",
            id="AVX-512 BF16",
        ),
        pytest.param(
            list_precisions(AVX2), {"float32": Behaviour(1 / 5_000)}, "float32", id="AVX2"
        ),
        pytest.param(
            GPU,
            {
                "float32": Behaviour(1 / 400_000, batch_s=0.004),
                "bfloat16": Behaviour(1 / 1_600_000, batch_s=0.004),
            },
            "bfloat16",
            id="GPU, where a lone text gains nothing",
        ),
    ],
)
def test_the_fastest_that_agrees_is_taken(
    available: tuple[Precision, ...], behaviours: Mapping[Precision, Behaviour], chosen: Precision
) -> None:
    """Speed decides among those that answer like float32, and only among those."""
    facts = Machine(behaviours).tune(available).facts
    assert facts.precision == chosen
    assert facts.agreement is not None
    assert facts.agreement >= 0.995


@pytest.mark.parametrize(("gain", "chosen"), [(1.02, "float32"), (1.2, "bfloat16")])
def test_what_is_hardly_faster_is_not_taken(gain: float, chosen: Precision) -> None:
    """A few per cent are what the clock's noise is made of, and float32 is right by definition."""
    machine = Machine({"float32": Behaviour(1e-4), "bfloat16": Behaviour(1e-4 / gain)})
    assert machine.tune(GPU).facts.precision == chosen


def test_a_few_other_first_predictions_are_too_many() -> None:
    """One of a hundred, though probabilities hardly move in the mean."""
    behaviours = {"float32": Behaviour(1e-4), "bfloat16": Behaviour(5e-5, wrong=0.015)}
    facts = Machine(behaviours).tune(GPU).facts
    assert facts.precision == "float32"
    assert 0.98 < facts.candidates[1].agreement < 0.995
    assert facts.candidates[1].mean_difference < 0.01


@pytest.mark.parametrize(("moved", "chosen"), [(0.01, "bfloat16"), (0.04, "float32")])
def test_what_moves_probabilities_is_not_taken(moved: float, chosen: Precision) -> None:
    """First predictions may all stay and scores be off: a caller reads scores too."""
    behaviours = {"float32": Behaviour(1e-4), "bfloat16": Behaviour(5e-5, moved=moved)}
    assert Machine(behaviours).tune(GPU).facts.precision == chosen


def test_what_each_candidate_gave_is_noted() -> None:
    """Whoever wonders at the choice sees all that it was made from."""
    behaviours = {
        "float32": Behaviour(1e-4),
        "bfloat16": Behaviour(5e-5, moved=0.01),
        "float16": Behaviour(2e-4),
    }
    facts = Machine(behaviours).tune(list_precisions(AMX)).facts
    by_name = {candidate.precision: candidate for candidate in facts.candidates}
    assert list(by_name) == ["float32", "bfloat16", "float16"]
    bfloat16 = by_name["bfloat16"]
    # The first prediction of the fake has a probability of one half.
    assert bfloat16.largest_difference == pytest.approx(0.005, rel=1e-4)
    assert bfloat16.mean_difference == pytest.approx(0.005, rel=1e-4)
    assert bfloat16.agreement == 1.0
    assert bfloat16.tokens_per_second == pytest.approx(20_000)
    assert bfloat16.speedup == pytest.approx(2.0)
    assert by_name["float32"].speedup == 1.0
    assert by_name["float16"].speedup == pytest.approx(0.5)


def test_a_precision_that_is_asked_for_is_taken_and_its_agreement_said() -> None:
    """Slow or not, right or not: the caller knows best, and is told."""
    machine = Machine({"float32": Behaviour(1e-4), "bfloat16": Behaviour(2e-4, wrong=0.5)})
    facts = machine.tune(list_precisions(AMX), "bfloat16").facts
    assert facts.precision == "bfloat16"
    assert facts.agreement is not None
    assert 0.3 < facts.agreement < 0.7
    assert machine.loads == ["float32", "bfloat16"]


@pytest.mark.parametrize("available", [list_precisions(AMX), list_precisions(AVX2)])
def test_float32_needs_no_comparison(available: tuple[Precision, ...]) -> None:
    """It is asked for, or there is no other: no text is needed, and nothing loaded twice."""
    machine = Machine({"float32": Behaviour(1e-4)})
    wanted: Precision = "float32" if len(available) > 1 else "auto"
    facts = tune(machine.load, wanted, available, {}, machine.clock).facts
    assert (facts.precision, facts.candidates, facts.agreement) == ("float32", (), 1.0)
    assert machine.loads == ["float32"]


@pytest.mark.parametrize("text", ["Россия большая", ""])
def test_a_model_that_reads_no_text_asks_for_one(text: str) -> None:
    """Precisions cannot be told apart without; nor can its head be proven."""
    machine = Machine({p: Behaviour(1e-4) for p in GPU})
    with pytest.raises(HeadUnprovenError, match=r"probe\.txt"):
        tune(machine.load, "auto", GPU, {"text": text}, machine.clock)

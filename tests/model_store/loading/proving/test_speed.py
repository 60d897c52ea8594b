"""How large a batch pays, and how fast models are next to each other; by a clock of the test's."""

from collections import Counter
from collections.abc import Callable, Mapping

import pytest

from fakes import FakeEngine, ManualClock, make_model, score_by_id
from model_store.engines.batches.batch import Batch, Scores
from model_store.engines.fill_mask import FillMaskModel
from model_store.loading.proving.speed import Speed, measure_speeds

Cost = Callable[[Batch], float]


def test_batch_is_as_large_as_pays() -> None:
    """A cost a batch makes large ones worth it; a cost a token does not."""
    assert measure(lambda batch: 0.002 + 1e-6 * batch.token_ids.size).batch_tokens >= 1024
    assert measure(lambda batch: 0.0002 * batch.token_ids.size).batch_tokens == 32


def test_batch_never_makes_others_wait_long() -> None:
    """However much a larger one would pay: a quarter of a second is enough."""
    assert measure(lambda _: 0.3).batch_tokens == 32


def test_what_grows_no_faster_is_not_measured_further() -> None:
    """A start is short: large batches take longest, and would say nothing new."""
    largest = 0

    def cost(batch: Batch) -> float:
        nonlocal largest
        largest = max(largest, batch.token_ids.size)
        return 1e-6 * batch.token_ids.size

    measure(cost)
    assert largest <= 2048


def test_first_run_of_a_shape_does_not_count() -> None:
    """A runtime works out how to run a shape when it meets it, and that takes no time from others.

    Here the run after it is slow as well, by chance; there is time for more.
    """
    runs: Counter[tuple[int, ...]] = Counter()

    def cost(batch: Batch) -> float:
        shape = batch.token_ids.shape
        runs[shape] += 1
        return 1e-4 * batch.token_ids.size * {1: 1000, 2: 2}.get(runs[shape], 1)

    assert measure(cost).alone == pytest.approx(1e4)


def test_models_take_turns() -> None:
    """What slows the machine meanwhile slows all of them alike."""
    runs: list[str] = []

    def note(name: str) -> Cost:
        def cost(batch: Batch) -> float:
            runs.append(name)
            return 1e-5 * batch.token_ids.size

        return cost

    measure_all({"one": note("one"), "other": note("other")}, ManualClock())
    assert len(runs) > 20
    assert runs == ["one", "other"] * (len(runs) // 2)


def test_slow_model_leaves_early_and_fast_one_goes_on() -> None:
    """Each is measured at the sizes that it would serve."""
    costs: dict[str, Cost] = {
        "slow": lambda _: 0.3,
        "fast": lambda batch: 0.002 + 1e-6 * batch.token_ids.size,
    }
    speeds = measure_all(costs, ManualClock())
    assert speeds["slow"] == Speed(32, pytest.approx(32 / 0.3), pytest.approx(32 / 0.3))
    assert speeds["fast"].batch_tokens >= 1024
    assert speeds["fast"].alone == pytest.approx(32 / 0.002032)


def measure(cost: Cost) -> Speed:
    """Return the speed of a model whose batches take so long."""
    return measure_all({"model": cost}, ManualClock())["model"]


def measure_all(costs: Mapping[str, Cost], clock: ManualClock) -> dict[str, Speed]:
    """Return the speeds of models whose batches take so long."""

    def make(cost: Cost) -> FillMaskModel:
        def answer(batch: Batch, k: int) -> Scores:
            clock.advance(cost(batch))
            return score_by_id(batch, k)

        return make_model(FakeEngine(answer=answer))

    return measure_speeds({name: make(cost) for name, cost in costs.items()}, clock)

"""How large a batch pays, and how fast models are next to each other; by a clock of the test's."""

from collections.abc import Callable, Mapping

import pytest

from fakes import FakeEngine, ManualClock, make_model, score_by_id
from model_store.batch import Batch, Scores
from model_store.fill_mask import FillMaskModel
from model_store.speed import Speed, measure_speeds

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
    """A runtime works out how to run a shape when it meets it."""
    seen: set[tuple[int, ...]] = set()

    def cost(batch: Batch) -> float:
        is_new = batch.token_ids.shape not in seen
        seen.add(batch.token_ids.shape)
        return 1e-4 * batch.token_ids.size + (0.2 if is_new else 0.0)

    assert measure(cost).busy == pytest.approx(1e4)


def test_what_slows_the_machine_meanwhile_slows_all_alike() -> None:
    """They take turns: a neighbour that works while one is measured works while all are."""
    clock = ManualClock()

    def at_noon(batch: Batch) -> float:
        """Take three times as long from the second half of the measuring on."""
        return 1e-5 * batch.token_ids.size * (3 if clock() > 0.05 else 1)

    speeds = measure_all({"one": at_noon, "other": at_noon}, clock)
    assert speeds["one"].busy == pytest.approx(speeds["other"].busy, rel=0.05)
    assert speeds["one"].alone == pytest.approx(speeds["other"].alone, rel=0.05)


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

"""The metrics of a cluster outlive its replicas."""

import pytest

from fakes import ManualClock
from service.processes.engine_process.frames import (
    NO_ANSWER,
    Answer,
    Check,
    Count,
    Counted,
    Expose,
    Exposed,
    FrameDecoder,
    Observed,
    encode_frame,
)
from service.processes.ray.board import Board
from service.processes.ray.engine_replica import encode_worked
from service.processes.ray.told_metrics import Standing, Worked
from service.scheduling.batch_records import BatchRecord
from service.settings import Settings

BATCH = BatchRecord(2, 10, 12, (0.5, 0.25), 0.125)
STANDING = Standing(3, 1.5, 100, {"tiny": "ready"})
ANSWERS: FrameDecoder[Answer] = FrameDecoder(Answer)


@pytest.fixture
def clock() -> ManualClock:
    """Return the time."""
    return ManualClock()


@pytest.fixture
def board(clock: ManualClock) -> Board:
    """Return a board that has heard of nothing."""
    return Board(Settings(default_preset="tiny"), clock)


async def _show(board: Board) -> list[str]:
    _, answer = ANSWERS.decode(await board.answer(encode_frame(NO_ANSWER, Expose())))
    assert isinstance(answer, Exposed)
    return answer.text.decode().splitlines()


async def test_counts_of_a_replica_outlive_it(board: Board, clock: ManualClock) -> None:
    """What it held is gone with it, and what it did stays done."""
    news = Worked("one", [BATCH], [("miss", 0.0), ("load", 2.0)], STANDING)
    await board.note(encode_worked(news))
    await board.note(encode_worked(Worked("two", [BATCH], [], STANDING)))
    shown = await _show(board)
    assert {"fill_mask_queue_size 6.0", "fill_mask_loaded_bytes 200.0"} <= set(shown)
    assert 'fill_mask_preset_ready{preset="tiny"} 1.0' in shown
    clock.advance(10.5)  # nobody hears of the first one any more
    await board.note(encode_worked(Worked("two", [], [], STANDING)))
    shown = await _show(board)
    assert {"fill_mask_queue_size 3.0", "fill_mask_loaded_bytes 100.0"} <= set(shown)
    assert {"fill_mask_batch_size_sum 4.0", "fill_mask_model_cache_misses_total 1.0"} <= set(shown)
    assert "fill_mask_model_load_duration_seconds_sum 2.0" in shown


async def test_replica_that_says_goodbye_is_gone_at_once(board: Board) -> None:
    """Even one that was never heard of."""
    await board.note(encode_worked(Worked("one", [], [], STANDING)))
    await board.note(encode_worked(Worked("one", [BATCH], [], None)))
    await board.note(encode_worked(Worked("two", [], [], None)))
    shown = await _show(board)
    assert {"fill_mask_queue_size 0.0", "fill_mask_batch_size_sum 2.0"} <= set(shown)
    assert "fill_mask_queue_age_seconds 0.0" in shown


async def test_what_ingresses_see_is_counted(board: Board) -> None:
    """And told of a preset alone, too."""
    observed = Observed(requests=[("tiny", "fill-mask", "ok", 0.5, 2)], invalid_requests=1)
    await board.hear(encode_frame(NO_ANSWER, observed))
    _, answer = ANSWERS.decode(await board.answer(encode_frame(NO_ANSWER, Count("tiny"))))
    assert isinstance(answer, Counted)
    assert (answer.tally.answered, answer.tally.rows) == (1, 2)
    assert 'fill_mask_requests_total{outcome="ok",preset="tiny"} 1.0' in await _show(board)


async def test_what_is_no_observation_is_not_counted(board: Board) -> None:
    """A call that has gone astray does no harm."""
    before = [line for line in await _show(board) if not line.startswith("process_")]
    await board.hear(encode_frame(NO_ANSWER, Check("tiny")))
    assert [line for line in await _show(board) if not line.startswith("process_")] == before

"""Large batches are cut."""

from hypothesis import given
from hypothesis import strategies as st

from service.processes.engine_process.text_frames import Text
from service.processes.ray.batch_parts import PartLimits, cut_batch
from service.settings import Settings


def _text(tokens: int) -> Text:
    return Text(bytes(4 * tokens), b"", None, 5)


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(1, 20), st.integers(1, 100)
)
def test_parts_are_the_batch_in_order_and_within_the_limits(
    lengths: list[int], max_texts: int, max_tokens: int
) -> None:
    """Nothing is lost, moved or doubled; only a text by itself may be above the limit."""
    texts = [_text(length) for length in lengths]
    parts = cut_batch(texts, PartLimits(max_texts, max_tokens))
    assert [text for part in parts for text in part] == texts
    for part in parts:
        assert 1 <= len(part) <= max_texts
        assert len(part) == 1 or sum(len(t.token_ids) // 4 for t in part) <= max_tokens


def test_parts_are_alike() -> None:
    """They run at the same time: the last is no remainder."""
    parts = cut_batch([_text(1)] * 300, PartLimits(256, 8192))
    assert [len(part) for part in parts] == [150, 150]


def test_part_is_one_batch_of_a_replica() -> None:
    """As the settings have it."""
    assert PartLimits.of(Settings(max_batch_size=7, max_batch_tokens=99)) == PartLimits(7, 99)
    assert PartLimits.of(Settings()) == PartLimits(256, 8192)

"""Runs of masks: masks side by side, of any length."""

from hypothesis import given
from hypothesis import strategies as st

from fakes import MAX_SEQUENCE_LENGTH, make_tokenizer
from model_store.tasks.joint.mask_runs import MaskRun, find_runs, stretch
from model_store.text.encoding import TextLimits
from model_store.text.long_text import LongText
from model_store.text.text_codec import TextCodec

CODEC = TextCodec(make_tokenizer(), MAX_SEQUENCE_LENGTH)

pieces = st.lists(st.sampled_from(["[MASK]", "the", "cat"]), min_size=1, max_size=8)


def read(text: str) -> LongText:
    """Return a text as the codec reads it."""
    return CODEC.encode_whole(text, top_k=1, limits=TextLimits())


def test_masks_side_by_side_are_a_run() -> None:
    """With or without white space between them."""
    text = "[MASK][MASK] the\n[MASK]\t [MASK] cat [MASK]."
    runs = find_runs(read(text).encoding)
    assert [run.masks for run in runs] == [range(2), range(2, 4), range(4, 5)]
    assert [text[run.start : run.end] for run in runs] == [
        "[MASK][MASK]",
        "[MASK]\t [MASK]",
        "[MASK]",
    ]


@given(pieces.filter(lambda words: "[MASK]" in words), st.data())
def test_stretched_text_is_the_text_with_so_many_masks(
    words: list[str], data: st.DataObject
) -> None:
    """As if it had been sent with them; but the places stay those of the caller's text."""
    text = " ".join(words)
    whole = read(text)
    runs = find_runs(whole.encoding)
    lengths = [data.draw(st.integers(1, 3)) for _ in runs]
    stretched = stretch(whole, runs, lengths)
    written = text
    for run, length in reversed([*zip(runs, lengths, strict=True)]):
        written = written[: run.start] + "[MASK]" * length + written[run.end :]
    direct = read(written)
    assert stretched.encoding.token_ids.tolist() == direct.encoding.token_ids.tolist()
    assert stretched.encoding.mask_positions.tolist() == direct.encoding.mask_positions.tolist()
    assert stretched.own == direct.own
    assert stretched.encoding.text == text
    spans = [stretched.spans[at].tolist() for at in stretched.encoding.mask_positions]
    assert spans == [
        [run.start, run.end]
        for run, length in zip(runs, lengths, strict=True)
        for _ in range(length)
    ]
    again = find_runs(stretched.encoding)
    assert [(run.start, run.end) for run in again] == [(run.start, run.end) for run in runs]
    assert [len(run.masks) for run in again] == lengths


def test_text_of_the_same_lengths_is_the_same() -> None:
    """What the model is shown of it too."""
    whole = read(" the [MASK] [MASK] cat [MASK] ")
    same = stretch(whole, find_runs(whole.encoding), [2, 1])
    assert same.encoding.token_ids.tolist() == whole.encoding.token_ids.tolist()
    assert same.own == whole.own
    assert same.show(whole.own) == (0, len(whole.encoding.text))
    assert find_runs(same.encoding)[0] == MaskRun(range(2), 5, 18)

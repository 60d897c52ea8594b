"""What a loaded model promises, whatever it is batched with."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from golden.sentences import masked_sentences
from model_store.engines.batches.batch import Batch, Scores
from model_store.engines.batches.shape_buckets import OpenShapes
from model_store.engines.fill_mask import FillMaskModel, ModelFacts
from model_store.errors import (
    EmptyTextError,
    InferenceError,
    MaskNotFoundError,
    TextTooLongError,
    TooManyMasksError,
    UnknownTargetError,
)
from model_store.text.encoding import Encoding, TextLimits
from model_store.text.filled_text import MaskScores
from model_store.text.splicing import splice_entry


def encode(model: FillMaskModel, text: str, **options: Any) -> Encoding:
    """Encode with five predictions a mask and the default limits."""
    options = {"top_k": 5, "targets": None, "limits": TextLimits(), **options}
    return model.encode(text, **options)


def assert_same(ours: list[MaskScores], alone: list[MaskScores]) -> None:
    """Assert that two answers for a text agree within 1e-5."""
    for one, other in zip(ours, alone, strict=True):
        assert one.token_ids.tolist() == other.token_ids.tolist()
        assert_allclose(
            np.exp(one.log_probabilities), np.exp(other.log_probabilities), atol=1e-5, rtol=0
        )


@pytest.mark.parametrize("name", ["embedded_model", "tiny_model"])
def test_a_batch_of_32_answers_as_each_text_alone(
    name: str, request: pytest.FixtureRequest
) -> None:
    """32 texts of mixed lengths and mask counts together: the same answers within 1e-5."""
    model: FillMaskModel = request.getfixturevalue(name)
    texts = [text for text in masked_sentences() if len(text) < 60]
    encodings = [encode(model, text) for text in texts[::3][:32]]
    assert len(encodings) == 32
    assert len({len(e.token_ids) for e in encodings}) > 8
    together = model.predict(encodings)
    for encoding, ours in zip(encodings, together, strict=True):
        assert_same(ours, model.predict([encoding])[0])


def test_padding_changes_nothing(tiny_model: FillMaskModel) -> None:
    """A short text beside one of the greatest length answers as it does alone."""
    short = encode(tiny_model, "The [MASK] is red.")
    longest = encode(tiny_model, "[MASK]" + " a" * 61)
    assert longest.token_ids.size == tiny_model.facts.max_sequence_length
    assert_same(tiny_model.predict([longest, short])[1], tiny_model.predict([short])[0])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(range(8)), count=st.integers(1, 8))
def test_order_changes_nothing(tiny_model: FillMaskModel, order: list[int], count: int) -> None:
    """Whatever the order and the company, a text's answer is its own."""
    encodings = [encode(tiny_model, text) for text in masked_sentences()[40:48]]
    chosen = [encodings[index] for index in order[:count]]
    reference = tiny_model.predict(encodings)
    for index, ours in zip(order[:count], tiny_model.predict(chosen), strict=True):
        assert_same(ours, reference[index])


def test_texts_with_and_without_targets_share_a_batch(tiny_model: FillMaskModel) -> None:
    """Each gets what it asked for, as if it were alone."""
    texts = ["A [MASK] day.", "A [MASK] night and a [MASK] day."]
    encodings = [encode(tiny_model, texts[0], targets=["red", "day"]), encode(tiny_model, texts[1])]
    for encoding, ours in zip(encodings, tiny_model.predict(encodings), strict=True):
        assert_same(ours, tiny_model.predict([encoding])[0])


def test_scores_are_probabilities_over_the_whole_vocabulary(tiny_model: FillMaskModel) -> None:
    """All entries together sum to one, and no more than the vocabulary comes back."""
    size = tiny_model.facts.vocabulary_size
    (mask,) = tiny_model.predict([encode(tiny_model, "A [MASK] day.", top_k=size + 100)])[0]
    assert sorted(mask.token_ids.tolist()) == list(range(size))
    assert np.exp(mask.log_probabilities.astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)
    assert (np.diff(mask.log_probabilities) <= 0).all()


def test_targets_keep_their_scores(tiny_model: FillMaskModel) -> None:
    """A target's score is the one that it has among all predictions; twice named counts once."""
    size = tiny_model.facts.vocabulary_size
    everything = tiny_model.predict([encode(tiny_model, "A [MASK] day.", top_k=size)])[0][0]
    scores = dict(zip(everything.token_ids.tolist(), everything.log_probabilities, strict=True))
    encoding = encode(tiny_model, "A [MASK] day.", targets=["red", "day", "red"], top_k=9)
    (mask,) = tiny_model.predict([encoding])[0]
    assert len(mask.token_ids) == 2
    for token, log_probability in zip(mask.token_ids, mask.log_probabilities, strict=True):
        assert log_probability == pytest.approx(scores[int(token)], abs=1e-5)


def test_mask_spans_are_the_callers_characters(tiny_model: FillMaskModel) -> None:
    """Offsets count characters of the input, before any normalisation."""
    text = "  É😀 [MASK]  北[MASK]京 "
    encoding = encode(tiny_model, text)
    assert [text[start:end] for start, end in encoding.mask_spans] == ["[MASK]", "[MASK]"]


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(before=st.text(max_size=30), after=st.text(max_size=30))
def test_any_text_around_a_mask_is_encoded(
    tiny_model: FillMaskModel, before: str, after: str
) -> None:
    """Whatever stands around it, every `[MASK]` in the text is one mask with its own offsets."""
    text = f"{before}[MASK]{after}"
    try:
        encoding = encode(tiny_model, text)
    except TextTooLongError:
        return
    assert all(text[start:end] == "[MASK]" for start, end in encoding.mask_spans)
    assert len(encoding.mask_spans) == text.count("[MASK]")


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u3000"])
def test_empty_text_is_refused(tiny_model: FillMaskModel, text: str) -> None:
    """White space alone is no text."""
    with pytest.raises(EmptyTextError, match="empty"):
        encode(tiny_model, text)


@pytest.mark.parametrize("text", ["No mask.", "[mask]", "<mask>", "[ MASK ]"])
def test_text_without_a_mask_is_refused(tiny_model: FillMaskModel, text: str) -> None:
    """The sentence names the token to write."""
    with pytest.raises(MaskNotFoundError, match=r"\[MASK\]"):
        encode(tiny_model, text)


def test_too_long_a_text_is_refused_with_both_numbers(tiny_model: FillMaskModel) -> None:
    """One token above the limit is too many; nothing is cut off silently."""
    with pytest.raises(TextTooLongError, match=r"65 tokens .* 64") as caught:
        encode(tiny_model, "[MASK]" + " a" * 62)
    assert (caught.value.length, caught.value.limit) == (65, 64)


def test_too_many_characters_are_refused_before_tokenizing(tiny_model: FillMaskModel) -> None:
    """A huge text costs nothing."""
    with pytest.raises(TextTooLongError, match=r"11 characters .* 10"):
        encode(tiny_model, "[MASK] abcd", limits=TextLimits(max_characters=10))


def test_too_many_masks_are_refused(tiny_model: FillMaskModel) -> None:
    """Both numbers are named."""
    with pytest.raises(TooManyMasksError, match=r"3 masks .* 2"):
        encode(tiny_model, "[MASK] [MASK] [MASK]", limits=TextLimits(max_masks=2))


@pytest.mark.parametrize("target", ["daydream", "a b", "", "😴", "x" * 500])
def test_a_target_that_is_no_single_entry_is_refused(
    tiny_model: FillMaskModel, target: str
) -> None:
    """Never silently its first piece, and never the unknown token."""
    with pytest.raises(UnknownTargetError, match="no single entry") as caught:
        encode(tiny_model, "A [MASK].", targets=["red", target])
    assert len(str(caught.value)) < 150


def test_targets_are_read_as_the_tokenizer_reads_them(embedded_model: FillMaskModel) -> None:
    """In a lowercased vocabulary `Paris` is the entry `paris`."""
    encoding = encode(embedded_model, "A [MASK].", targets=["Paris", "##ing"])
    assert encoding.target_ids is not None
    (scores,) = embedded_model.predict([encoding])
    filled = embedded_model.decode(encoding, scores)
    assert {p.token_str for p in filled.predictions[0]} == {"paris", "##ing"}


class BrokenEngine:
    """Answers with what is no number."""

    name = "broken"
    shapes = OpenShapes()

    def run(self, batch: Batch, k: int) -> Scores:
        """Return NaN everywhere."""
        masks = batch.masks
        nan = np.full((masks, k), np.nan, np.float32)
        return Scores(np.zeros((masks, k), np.int32), nan, nan[:, :0])


def test_an_engine_that_answers_nan_is_an_error(tiny_model: FillMaskModel) -> None:
    """Broken weights never become scores."""
    facts = ModelFacts(9, 64, 0, 0, "float32")
    broken = FillMaskModel(BrokenEngine(), tiny_model._tokenizer, facts)
    with pytest.raises(InferenceError, match="no numbers"):
        broken.predict([encode(broken, "A [MASK].")])


@pytest.mark.parametrize(
    ("text", "entry", "sequence"),
    [
        ("A  [MASK] Day!", "red", "A  red Day!"),
        ("Walk [MASK] home", "##ing", "Walking home"),
        ("[MASK] home", "##ing", "ing home"),
        ("École\n[MASK]", "été", "École\nété"),
    ],
)
def test_spliced_sequences_keep_the_callers_text(
    tiny_model: FillMaskModel, text: str, entry: str, sequence: str
) -> None:
    """Case, accents and spacing stay; a `##piece` joins the word before it."""
    encoding = encode(tiny_model, text)
    assert splice_entry(encoding, 0, entry, tiny_model._tokenizer.spelling) == sequence

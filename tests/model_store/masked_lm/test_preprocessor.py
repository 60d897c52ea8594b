"""Texts become masked batches, as KerasHub makes them."""

from collections.abc import Sequence
from typing import Any

import keras_hub
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.masked_lm.families.bert import BertMaskedLMPreprocessor
from model_store.masked_lm.texts.segment_packer import pack_segments
from model_store.masked_lm.texts.text_inputs import read_segments
from model_store.masked_lm.texts.token_masking import TokenMasker

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "a", "man", "dog", "cat"]
VOCABULARY += ["went", "came", "saw", "ate", "big", "red", "house", "Paris", "##s", "##ing"]
PAD, UNK, CLS, SEP, MASK = range(5)
TEXTS = ["the man saw the dogs", "a cat ate", "Paris", "zzz big red house seeing"]


@pytest.fixture(scope="module")
def tokenizer() -> SubwordTokenizer:
    """A dozen words, case kept."""
    return build_word_piece(VOCABULARY, lowercase=False)


def make_masker(**options: Any) -> TokenMasker:
    """Return a masker of a thousand entries, the first five special."""
    defaults = {
        "vocabulary_size": 1000,
        "mask_token_id": MASK,
        "unselectable_token_ids": [PAD, UNK, CLS, SEP, MASK],
    }
    return TokenMasker(**{**defaults, **options})


def make_tokens(rows: int, length: int, *, first: int = 5) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return random tokens, ids from `first` on."""
    return np.random.default_rng(7).integers(first, 1000, (rows, length), dtype=np.int32)


@pytest.mark.parametrize("exact", [False, True])
def test_share_of_tokens_is_selected(exact: bool) -> None:
    """Of half a million tokens, 15 % are selected."""
    tokens = make_tokens(4000, 128)
    masked = make_masker(exact=exact).mask(tokens, np.random.default_rng(1))
    assert masked.mask_weights.sum() / tokens.size == pytest.approx(0.15, abs=0.005)


def test_selected_tokens_are_masked_replaced_or_kept() -> None:
    """Of the selected ones, 80 % become masks, 10 % random tokens, and 10 % stay."""
    tokens = make_tokens(4000, 128)
    masked = make_masker().mask(tokens, np.random.default_rng(2))
    real = masked.mask_weights == 1
    now = np.take_along_axis(masked.token_ids, masked.mask_positions, axis=1)[real]
    before = masked.mask_ids[real]
    assert np.mean(now == MASK) == pytest.approx(0.8, abs=0.005)
    # One random token in a thousand is the one that was there.
    assert np.mean((now != MASK) & (now != before)) == pytest.approx(0.1, abs=0.005)
    assert np.mean(now == before) == pytest.approx(0.1, abs=0.005)


def test_labels_are_what_stood_there() -> None:
    """Putting the labels back gives the text again."""
    tokens = make_tokens(200, 64)
    masked = make_masker().mask(tokens, np.random.default_rng(3))
    restored = masked.token_ids.copy()
    rows, slots = np.nonzero(masked.mask_weights)
    restored[rows, masked.mask_positions[rows, slots]] = masked.mask_ids[rows, slots]
    assert np.array_equal(restored, tokens)


def test_special_tokens_are_never_selected() -> None:
    """Where half of all tokens are special, only the others are selected."""
    tokens = make_tokens(2000, 100, first=5)
    tokens[np.random.default_rng(4).random(tokens.shape) < 0.5] = SEP
    masked = make_masker(mask_selection_rate=0.9).mask(tokens, np.random.default_rng(5))
    assert masked.mask_ids[masked.mask_weights == 1].min() >= 5
    assert np.array_equal(masked.token_ids[tokens == SEP], tokens[tokens == SEP])


def test_limit_cuts_selection_fairly() -> None:
    """Where more are selected than fit, early positions are no likelier than late ones."""
    tokens = make_tokens(4000, 50)
    masked = make_masker(mask_selection_rate=0.8, mask_selection_length=5).mask(
        tokens, np.random.default_rng(6)
    )
    assert masked.mask_weights.all()
    assert masked.mask_positions.mean() == pytest.approx(24.5, abs=0.5)


def test_positions_ascend_and_padding_is_zero() -> None:
    """As in KerasHub: real masks in the order of the text, then zeros."""
    masked = make_masker().mask(make_tokens(50, 64), np.random.default_rng(8))
    for positions, ids, weights in zip(
        masked.mask_positions, masked.mask_ids, masked.mask_weights, strict=True
    ):
        count = int(weights.sum())
        assert weights[:count].all()
        assert np.all(np.diff(positions[:count]) > 0)
        assert not positions[count:].any()
        assert not ids[count:].any()


def test_exact_selection_masks_every_row_with_words() -> None:
    """A short text is never left without a mask, and one without words has none."""
    tokens = np.array([[CLS, 7, SEP, PAD], [CLS, SEP, PAD, PAD]], np.int32)
    masked = make_masker(exact=True).mask(tokens, np.random.default_rng(9))
    assert masked.mask_weights.sum(axis=1).tolist() == [1, 0]


def test_masks_are_new_at_every_call(tokenizer: SubwordTokenizer) -> None:
    """Masking is dynamic."""
    preprocessor = BertMaskedLMPreprocessor(tokenizer, 32, seed=0)
    first, second = (preprocessor(TEXTS * 4)[0]["token_ids"] for _ in range(2))
    assert not np.array_equal(first, second)


def test_seed_makes_masks_again(tokenizer: SubwordTokenizer) -> None:
    """Two preprocessors of one seed mask alike."""
    first, second = (
        BertMaskedLMPreprocessor(tokenizer, 32, seed=5)(TEXTS * 4)[0]["token_ids"] for _ in range(2)
    )
    assert np.array_equal(first, second)


@pytest.fixture(scope="module")
def keras_hub_preprocessor() -> Any:
    """KerasHub's own, on its pure-Python path, which needs no tensorflow-text."""
    return keras_hub.models.BertMaskedLMPreprocessor(
        keras_hub.models.BertTokenizer(VOCABULARY, lowercase=False),
        sequence_length=16,
        mask_selection_length=6,
    )


@pytest.mark.parametrize(
    "texts", [TEXTS, TEXTS[0], (TEXTS, TEXTS[::-1])], ids=["batch", "one", "pairs"]
)
def test_arrays_are_those_of_keras_hub(
    texts: Any, tokenizer: SubwordTokenizer, keras_hub_preprocessor: Any
) -> None:
    """Names, shapes and dtypes equal KerasHub's, array by array, and so does all but the masks."""
    ours = BertMaskedLMPreprocessor(tokenizer, 16, mask_selection_length=6)(texts)
    theirs = keras_hub_preprocessor(x=texts)
    assert list(ours[0]) == list(theirs[0])
    references = [ops.convert_to_numpy(array) for array in [*theirs[0].values(), *theirs[1:]]]
    for mine, reference in zip([*ours[0].values(), *ours[1:]], references, strict=True):
        assert (mine.shape, mine.dtype) == (reference.shape, reference.dtype)
    for name in ("padding_mask", "segment_ids"):
        assert np.array_equal(ours[0][name], ops.convert_to_numpy(theirs[0][name]))


def test_unmasked_tokens_are_those_of_keras_hub(
    tokenizer: SubwordTokenizer, keras_hub_preprocessor: Any
) -> None:
    """Without masking, the token ids are equal."""
    hub = keras_hub.models.BertMaskedLMPreprocessor(
        keras_hub_preprocessor.tokenizer, sequence_length=8, mask_selection_rate=0.0
    )
    ours = BertMaskedLMPreprocessor(tokenizer, 8, mask_selection_rate=0.0)
    for texts in (TEXTS, (TEXTS, TEXTS[::-1])):
        mine, theirs = (each(x=texts)[0]["token_ids"] for each in (ours, hub))
        assert np.array_equal(mine, ops.convert_to_numpy(theirs))


def test_masking_everything_equals_keras_hub() -> None:
    """Where every token is selected and masked, nothing is random, and all arrays are equal."""
    tokens = make_tokens(3, 10)
    tokens[:, 0], tokens[1, 6:] = CLS, PAD
    options = {
        "vocabulary_size": 1000,
        "mask_token_id": MASK,
        "unselectable_token_ids": [PAD, CLS, SEP],
        "mask_selection_rate": 1.0,
        "mask_selection_length": 12,
        "mask_token_rate": 1.0,
        "random_token_rate": 0.0,
    }
    ours = TokenMasker(**options).mask(tokens, np.random.default_rng(0))
    theirs = keras_hub.layers.MaskedLMMaskGenerator(**options)(tokens)
    for name, array in theirs.items():
        assert np.array_equal(getattr(ours, name), ops.convert_to_numpy(array)), name


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 30), min_size=1, max_size=3),
    sequence_length=st.integers(6, 40),
    truncate=st.sampled_from(["round_robin", "waterfall"]),
)
def test_packing_equals_keras_hub(
    lengths: Sequence[int], sequence_length: int, truncate: str
) -> None:
    """Segments are cut and laid out as KerasHub does it."""
    segments = [list(range(10 * i + 5, 10 * i + 5 + n)) for i, n in enumerate(lengths, start=1)]
    token_ids, segment_ids = pack_segments(
        [segments],
        sequence_length,
        truncate=truncate,
        cls_token_id=CLS,
        sep_token_id=SEP,
        pad_token_id=PAD,
    )
    packer = keras_hub.layers.MultiSegmentPacker(
        sequence_length, start_value=CLS, end_value=SEP, pad_value=PAD, truncate=truncate
    )
    their_tokens, their_segments = packer(tuple([segment] for segment in segments))
    assert token_ids.tolist() == ops.convert_to_numpy(their_tokens).tolist()
    assert segment_ids.tolist() == ops.convert_to_numpy(their_segments).tolist()


@pytest.mark.parametrize(
    "given_texts",
    ["a", b"a", ["a"], [b"a"], np.array(["a"]), np.array([b"a"]), np.array(["a"], object)],
)
def test_texts_are_read_in_every_form(given_texts: Any) -> None:
    """Strings, bytes, and arrays of either are one and the same."""
    assert read_segments(given_texts) == (["a"],)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (([1, 2],), "give strings"),
        ((["a"], ["b", "c"]), "as many second ones"),
        ((["a"], ["b"], ["c"]), "give one or two"),
    ],
)
def test_what_is_no_text_is_refused(texts: Any, message: str) -> None:
    """The message says what to give."""
    with pytest.raises(ValueError, match=message):
        read_segments(texts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"truncate": "left"}, "give one of round_robin, waterfall"),
        ({"sequence_length": 3}, "give 4 or more"),
        ({"mask_selection_rate": 1.5}, "mask_selection_rate is 1.5"),
        ({"mask_token_rate": 0.9, "random_token_rate": 0.2}, "mask_token_rate . random_token_rate"),
        ({"mask_selection_length": 0}, "give a positive number"),
    ],
)
def test_wrong_options_are_refused(
    options: dict[str, Any], message: str, tokenizer: SubwordTokenizer
) -> None:
    """An option out of its range is an error at once."""
    with pytest.raises(ValueError, match=message):
        BertMaskedLMPreprocessor(tokenizer, **options)


def test_labels_are_refused(tokenizer: SubwordTokenizer) -> None:
    """They would be thrown away without a word."""
    with pytest.raises(ValueError, match="leave y and sample_weight out"):
        BertMaskedLMPreprocessor(tokenizer)(TEXTS, [1, 2, 3, 4])


def test_texts_where_labels_would_stand_are_second_segments(tokenizer: SubwordTokenizer) -> None:
    """`tf.data` unpacks pairs, and KerasHub then drops the second segment in silence."""
    pairs = [
        BertMaskedLMPreprocessor(tokenizer, 16, seed=3)(*arguments)
        for arguments in ((TEXTS, TEXTS[::-1]), ((TEXTS, TEXTS[::-1]),))
    ]
    for name, array in pairs[0][0].items():
        np.testing.assert_array_equal(array, pairs[1][0][name])
    assert pairs[0][0]["segment_ids"].max() == 1

"""What is asked for: rare tokens rather than frequent ones, words as a whole, and at each place."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model_store.checkpoints import read_checkpoint
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.masked_lm.training.feed.batch_stream import BatchStream
from model_store.masked_lm.training.feed.mask_choice import MaskChoice
from model_store.masked_lm.training.options import TrainingOptions
from text_kinds import WORDS as WORD_KINDS
from text_kinds import make_codec

MakeOptions = Callable[..., TrainingOptions]
WORDS = ["the", "cat", "dog", "un", "##like", "##ly", "river"]


@pytest.fixture
def tokenizer() -> SubwordTokenizer:
    """A dozen entries, pieces among them."""
    return build_word_piece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])


@pytest.fixture
def make_choice(
    make_options: MakeOptions, tokenizer: SubwordTokenizer, tmp_path: Path
) -> Callable[..., MaskChoice]:
    """A choice after a text in which `the` is all but everything."""
    path = tmp_path / "the.txt"
    path.write_text(
        "the the the the the the the the the\n" * 9999 + "cat dog unlikely river", "utf-8"
    )

    def make(**shares: float) -> MaskChoice:
        return MaskChoice(make_options(texts=(path,), **shares), tokenizer)

    return make


def row_of(tokenizer: SubwordTokenizer, text: str) -> list[int]:
    """Return a row, special tokens included."""
    return [tokenizer.cls_token_id, *tokenizer.encode_batch([text])[0], tokenizer.sep_token_id]


def choose(
    choice: MaskChoice, row: list[int], *, most: int = 9, times: int = 300
) -> list[list[int]]:
    """Choose again and again."""
    rng = np.random.default_rng(0)
    return [choice.choose(row, most, rng) for _ in range(times)]


def test_rare_tokens_are_asked_for(
    make_choice: Callable[..., MaskChoice], tokenizer: SubwordTokenizer
) -> None:
    """One of ten tokens is rare: evenly it is chosen once in ten times, by rarity nearly always."""
    row = row_of(tokenizer, "the the the the the the the the the cat")
    shares = {
        rarity: np.mean([10 in chosen for chosen in choose(make_choice(rarity_share=rarity), row)])
        for rarity in (0.0, 0.5, 1.0)
    }
    assert shares[0.0] == pytest.approx(0.2, abs=0.07)  # two masks of ten tokens
    assert shares[1.0] > 0.9
    assert shares[0.0] + 0.2 < shares[0.5] < shares[1.0] - 0.2


def test_words_are_asked_for_whole(
    make_choice: Callable[..., MaskChoice], tokenizer: SubwordTokenizer
) -> None:
    """Never a piece of one that is next to its other pieces."""
    row = row_of(tokenizer, "the unlikely cat the unlikely dog the river")
    words = [{2, 3, 4}, {7, 8, 9}]
    chosen = choose(make_choice(whole_word_share=1.0, mask_selection_rate=0.4), row)
    assert any(word <= set(positions) for positions in chosen for word in words)
    assert all(
        word <= set(positions) or not word & set(positions)
        for positions in chosen
        for word in words
    )
    assert all(len(positions) <= 5 for positions in chosen)


def test_content_words_are_masked_wherever_they_stand(
    make_choice: Callable[..., MaskChoice], tokenizer: SubwordTokenizer
) -> None:
    """Else a model learns to copy; function words stand everywhere, and are not meant."""
    row = row_of(tokenizer, "the cat the dog the cat the dog the dog the dog")
    chosen = choose(make_choice(everywhere_share=1.0, mask_selection_rate=0.3), row)
    cats = {2, 6}
    assert any(cats <= set(positions) for positions in chosen)
    assert all(not cats & set(positions) or cats <= set(positions) for positions in chosen)
    assert any(0 < len({1, 3, 5, 7, 9, 11} & set(positions)) < 6 for positions in chosen)


def test_special_tokens_are_never_asked_for(
    make_choice: Callable[..., MaskChoice], tokenizer: SubwordTokenizer
) -> None:
    """Nor is `[UNK]`; and a row of one long word has what room there is for."""
    choice = make_choice(rarity_share=0.5, whole_word_share=0.5, everywhere_share=0.5)
    row = row_of(tokenizer, "x cat x")
    assert row[1] == tokenizer.unk_token_id
    assert choose(choice, row, times=20) == [[2]] * 20
    long = row_of(tokenizer, "unlikely")
    whole = make_choice(whole_word_share=1.0)
    assert choose(whole, long, times=1) == [[1, 2, 3]]
    assert choose(whole, long, most=2, times=1) == [[1, 2]]
    assert choose(whole, row_of(tokenizer, "x"), times=1) == [[]]


def test_chosen_masks_reach_the_batches(make_options: MakeOptions, text_dir: Path) -> None:
    """The labels are what stood there, every row has one, and two streams agree."""
    tokenizer = read_checkpoint(text_dir / "tiny").tokenizer
    options = make_options(
        rarity_share=0.5,
        whole_word_share=0.5,
        everywhere_share=0.7,
        mask_token_rate=1.0,
        random_token_rate=0.0,
        row_lengths=(8, 24),
    )
    first, second = (BatchStream(options, tokenizer) for _ in range(2))
    lengths = set()
    for _ in range(40):
        features, labels, weights = first.next_batch()
        lengths.add(features["token_ids"].shape[1])
        real = weights == 1
        masked = np.take_along_axis(features["token_ids"], features["mask_positions"], axis=1)
        assert (masked[real] == tokenizer.mask_token_id).all()
        assert (weights.sum(axis=1) >= 1).all()
        assert not np.isin(labels[real], tokenizer.special_token_ids).any()
        assert np.array_equal(second.next_batch()[1], labels)
    assert lengths <= {8, 24, 32}
    assert len(lengths) >= 2


@pytest.mark.parametrize("kind", WORD_KINDS)
def test_words_of_every_vocabulary_are_masked_whole(
    kind: str, make_options: MakeOptions, tmp_path: Path
) -> None:
    """Pieces that nothing stands between, however the vocabulary says so."""
    subwords = make_codec(kind)._tokenizer
    text = "unbelievable houses northwards"
    (tmp_path / "text.txt").write_text(text, "utf-8")
    options = make_options(texts=(tmp_path / "text.txt",), whole_word_share=1.0)
    encoding = subwords.encode(text)
    ends = {end: index for index, (_, end) in enumerate(encoding.offsets) if end}
    joined = {
        (ends[start], index)
        for index, (start, end) in enumerate(encoding.offsets)
        if start in ends and not text[start:end].startswith(" ")
    }
    assert joined
    for chosen in choose(MaskChoice(options, subwords), encoding.ids):
        assert chosen
        assert all((first in chosen) == (second in chosen) for first, second in joined)

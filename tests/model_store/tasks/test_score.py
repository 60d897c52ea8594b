"""Scoring texts: which rows are asked for, and what is made of the answers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import MAX_SEQUENCE_LENGTH, make_tokenizer
from model_store.errors import (
    EmptyTextError,
    InputError,
    RequestLimitError,
    TextTooLongError,
    UnexpectedMaskError,
)
from model_store.tasks.limits import TaskLimits
from model_store.tasks.score import Method, ScoredText, ScoreRequest, rank
from model_store.tasks.task import Done, Round, advance
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores
from model_store.text.text_codec import TextCodec

CODEC = TextCodec(make_tokenizer(), MAX_SEQUENCE_LENGTH)
TEXTS = st.lists(st.sampled_from(["cats", "dogs", "pariss", "the", "is", ".", "zebra"]), min_size=1)


def worth(token_id: int) -> float:
    """Return what a table of scores says of an entry, whatever is around it."""
    return -0.25 * (token_id + 1)


def answer(row: Encoding) -> list[MaskScores]:
    """Look the target of a row up in the table."""
    assert row.target_ids is not None
    log_probabilities = [worth(token_id) for token_id in row.target_ids.tolist()]
    return [MaskScores(row.target_ids, np.array(log_probabilities, np.float32))]


def list_rows(request: ScoreRequest, limits: TaskLimits | None = None) -> Round:
    """Return what is asked of an engine."""
    rows = advance(request.start(CODEC, limits or TaskLimits()))
    assert not isinstance(rows, Done)
    return rows


def run(request: ScoreRequest) -> list[ScoredText]:
    """Answer a request from the table; there is one round."""
    task = request.start(CODEC, TaskLimits())
    rows = advance(task)
    assert not isinstance(rows, Done)
    done = advance(task, [answer(row) for row in rows])
    assert isinstance(done, Done)
    return done.answer


def spell(row: Encoding) -> str:
    """Return the tokens of a row."""
    return " ".join(map(CODEC.token_str, row.token_ids.tolist()))


def asked(row: Encoding) -> tuple[int, str]:
    """Return the position that a row asks about, and the entry."""
    assert row.target_ids is not None
    [position], [token_id] = row.mask_positions.tolist(), row.target_ids.tolist()
    return position, CODEC.token_str(token_id)


def test_a_row_masks_the_token_that_it_asks_about() -> None:
    """The method of Salazar et al.: nothing else is hidden."""
    rows = list_rows(ScoreRequest(["The cats sat."], method="pll"))
    assert [(spell(row), *asked(row)) for row in rows] == [
        ("[CLS] [MASK] cat ##s sat . [SEP]", 1, "the"),
        ("[CLS] the [MASK] ##s sat . [SEP]", 2, "cat"),
        ("[CLS] the cat [MASK] sat . [SEP]", 3, "##s"),
        ("[CLS] the cat ##s [MASK] . [SEP]", 4, "sat"),
        ("[CLS] the cat ##s sat [MASK] [SEP]", 5, "."),
    ]


def test_later_pieces_of_a_word_are_hidden_too() -> None:
    """The method of Kauf and Ivanova: from left to right within a word."""
    rows = list_rows(ScoreRequest(["catss sat"]))
    assert [(spell(row), *asked(row)) for row in rows] == [
        ("[CLS] [MASK] [MASK] [MASK] sat [SEP]", 1, "cat"),
        ("[CLS] cat [MASK] [MASK] sat [SEP]", 2, "##s"),
        ("[CLS] cat ##s [MASK] sat [SEP]", 3, "##s"),
        ("[CLS] cat ##s ##s [MASK] [SEP]", 4, "sat"),
    ]


@given(TEXTS)
def test_methods_differ_within_words_only(words: list[str]) -> None:
    """Texts without a word of several pieces, and last pieces, have the same rows in both."""
    text = " ".join(words)
    limits = TaskLimits(max_rows=1000)
    codec = TextCodec(make_tokenizer(), 1000)
    alone, word = (
        advance(ScoreRequest([text], method=method).start(codec, limits))
        for method in ("pll", "pll_word_l2r")
    )
    assert not isinstance(alone, Done)
    assert not isinstance(word, Done)
    assert [asked(row) for row in alone] == [asked(row) for row in word]
    followed = [asked(row)[1].startswith("##") for row in (*word[1:], word[0])]
    for ours, theirs, is_followed in zip(alone, word, followed, strict=True):
        assert (spell(ours) != spell(theirs)) == is_followed


@pytest.mark.parametrize("method", ["pll", "pll_word_l2r"])
def test_figures_are_those_of_the_table(method: Method) -> None:
    """Each token has its own log-probability and place; the rest is sums."""
    [scored] = run(ScoreRequest(["The  cats!."], method=method))
    assert [(t.token_str, t.start, t.end, t.log_prob) for t in scored.tokens] == [
        ("the", 0, 3, worth(3)),
        ("cat", 5, 8, worth(8)),
        ("##s", 8, 9, worth(2)),
        ("[UNK]", 9, 10, worth(13)),
        (".", 10, 11, worth(11)),
    ]
    total = worth(3) + worth(8) + worth(2) + worth(13) + worth(11)
    assert scored.total == pytest.approx(total)
    assert scored.mean == pytest.approx(total / 5)
    assert scored.pseudo_perplexity == pytest.approx(math.exp(-total / 5))


def test_each_text_gets_its_own_figures() -> None:
    """Answers are dealt out in order, however long the texts are."""
    scored = run(ScoreRequest(["cat", "the dogs", "."]))
    assert [text.text for text in scored] == ["cat", "the dogs", "."]
    assert [[token.token for token in text.tokens] for text in scored] == [[8], [3, 9, 2], [11]]
    assert [text.total for text in scored] == [worth(8), worth(3) + worth(9) + worth(2), worth(11)]


def test_candidates_fill_the_template() -> None:
    """A sentence each; other braces, and what looks like a gap in a candidate, are just text."""
    scored = run(ScoreRequest(["cat", "cats", "{}"], "the {}."))
    assert [text.text for text in scored] == ["the cat.", "the cats.", "the {}."]
    [scored_text] = run(ScoreRequest(["cat"], "{0} {the {}."))
    assert scored_text.text == "{0} {the cat."


def test_likelier_texts_rank_before() -> None:
    """By the total; who is equal shares a rank."""
    assert rank(run(ScoreRequest(["dog", "paris", "the", "dog", "cat dog"]))) == [3, 1, 2, 3, 5]


def test_special_tokens_are_not_scored() -> None:
    """Neither those around a text nor those that are written in it; they stay where they are."""
    rows = list_rows(ScoreRequest(["the [SEP] cat [PAD] [CLS] [UNK]"]))
    assert [asked(row)[1] for row in rows] == ["the", "cat", "[UNK]"]
    assert spell(rows[0]) == "[CLS] [MASK] [SEP] cat [PAD] [CLS] [UNK] [SEP]"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (" ", EmptyTextError),
        ("\x00", EmptyTextError),
        ("[SEP]", EmptyTextError),
        ("the [MASK] sat", UnexpectedMaskError),
        ("the " * 31, TextTooLongError),
        ("a" * 100_001, TextTooLongError),
    ],
)
def test_bad_text_is_located(text: str, error: type[InputError]) -> None:
    """It is refused before the first row, and the error says which it is."""
    with pytest.raises(error) as raised:
        list_rows(ScoreRequest(["the", text]))
    assert raised.value.input == 1


def test_mask_is_refused_with_what_to_do() -> None:
    """The sentence names the token and the two ways."""
    with pytest.raises(UnexpectedMaskError) as raised:
        list_rows(ScoreRequest(["the [MASK]"]))
    assert str(raised.value) == (
        "The text has a [MASK] where whole sentences are scored; write a word there, or a "
        "template with {} and its candidates."
    )


def test_rows_are_limited() -> None:
    """As many as there are tokens, over all texts; not one more."""
    texts = ["the cat.", "the cats."]
    assert len(list_rows(ScoreRequest(texts), TaskLimits(max_rows=7))) == 7
    with pytest.raises(RequestLimitError) as raised:
        list_rows(ScoreRequest(texts), TaskLimits(max_rows=6))
    assert str(raised.value) == "The request asks for 7 rows and the limit is 6; ask for less."


def test_inputs_are_limited_before_a_template_is_filled() -> None:
    """A long template with many candidates takes no memory."""
    request = ScoreRequest(["the"] * 3, "{}" + "x" * 100)
    assert request.characters == 309
    request.check(TaskLimits(max_inputs=3, max_rows=3))
    for limits in (TaskLimits(max_inputs=2), TaskLimits(max_rows=2)):
        with pytest.raises(RequestLimitError):
            request.check(limits)


def test_unlikeliest_text_has_a_number() -> None:
    """JSON knows no infinity, whatever broken weights say."""
    task = ScoreRequest(["the"]).start(CODEC, TaskLimits())
    advance(task)
    done = advance(task, [[MaskScores(np.array([3], np.int32), np.array([-1e30], np.float32))]])
    assert isinstance(done, Done)
    assert math.isfinite(done.answer[0].pseudo_perplexity)

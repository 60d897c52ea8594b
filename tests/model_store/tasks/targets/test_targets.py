"""Targets of several forms and lengths, with a table of scores where an engine would be."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_store.encoder.tokenizers.place import Place
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.errors import (
    InputError,
    MaskNotFoundError,
    RequestLimitError,
    TargetsMismatchError,
    TextTooLongError,
)
from model_store.tasks import TaskLimits
from model_store.tasks.targets import TargetsRequest
from model_store.tasks.targets.request import read_words
from model_store.text.encoding import TextLimits
from model_store.text.target import Target
from model_store.text.targeted_text import ScoredTarget, TargetedText
from model_store.text.text_codec import TextCodec
from ranked_tables import RankedTable, count_above

ENTRIES = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("he", "went", "to", "the", "bank", "pool", "swim", "##ming", "##mer", "##s", "a", "."),
)
MASK = ENTRIES.index("[MASK]")
TEXT = "he went to the [MASK] ."
TWO_MASKS = "he [MASK] to the [MASK] ."


@pytest.fixture
def codec() -> TextCodec:
    """Return a codec of an uncased vocabulary, for texts of 12 tokens."""
    return make_codec()


def make_codec() -> TextCodec:
    """Return that codec."""
    return TextCodec(build_word_piece(ENTRIES), 12)


def ask(
    codec: TextCodec,
    *inputs: str,
    targets: Any,
    table: RankedTable | None = None,
    top_k: int | None = None,
    **limits: int,
) -> list[TargetedText]:
    """Return the answer to a request; `targets` has those of each input."""
    table = table or RankedTable(len(ENTRIES))
    task_limits = TaskLimits(**limits)
    request = TargetsRequest(inputs or (TEXT,), targets, top_k)
    request.check(task_limits)
    return table.drive(request.start(codec, task_limits))


def find(text: TargetedText, word: str, mask: int = 0) -> ScoredTarget:
    """Return a target by its spelling."""
    return next(scored for scored in text.masks[mask] if scored.target.text == word)


def spell(text: TargetedText, mask: int = 0) -> list[str]:
    """Return the spellings of the targets of a mask, in order."""
    return [scored.target.text for scored in text.masks[mask]]


def score_by_hand(table: RankedTable, codec: TextCodec, text: str, word: str, mask: int) -> float:
    """Return the log-probability of a word, one text after the other."""
    pieces = codec.tokenize(word).tolist()[1:-1]
    ids = codec.tokenize(text).tolist()
    position = [place for place, token in enumerate(ids) if token == MASK][mask]
    total = 0.0
    for filled in range(len(pieces)):
        open_ = [MASK] * (len(pieces) - filled)
        row = ids[:position] + pieces[:filled] + open_ + ids[position + 1 :]
        total += float(table.log_probabilities(row, position + filled)[pieces[filled]])
    return total


def test_entry_has_the_probability_of_the_plain_answer(codec: TextCodec) -> None:
    """Over the whole vocabulary, however few targets there are."""
    table = RankedTable(len(ENTRIES))
    [text] = ask(codec, targets=[["bank", "pool"]], table=table)
    plain = table.log_probabilities(codec.tokenize(TEXT).tolist(), 5)
    bank = find(text, "bank")
    assert bank.target.match == "exact"
    assert bank.log_probability == plain[ENTRIES.index("bank")]
    assert bank.score == pytest.approx(np.exp(plain[ENTRIES.index("bank")]))
    assert bank.pieces == ()


def test_rank_of_an_entry_counts_the_whole_vocabulary(codec: TextCodec) -> None:
    """The likeliest entry has rank 1, the least likely one as many as there are."""
    table = RankedTable(len(ENTRIES))
    [text] = ask(codec, targets=[ENTRIES], table=table)
    plain = table.log_probabilities(codec.tokenize(TEXT).tolist(), 5)
    assert [scored.target.token_ids[0] for scored in text.masks[0]] == np.argsort(-plain).tolist()
    assert [scored.rank for scored in text.masks[0]] == list(range(1, len(ENTRIES) + 1))


WORDS = st.lists(
    st.sampled_from(["bank", "swim", "swimming", "swimmers", "swim pool", "pools a", "a . bank"]),
    min_size=1,
    max_size=4,
    unique=True,
)


@given(first=WORDS, second=WORDS, seed=st.integers(0, 100))
def test_words_are_scored_as_by_hand(first: list[str], second: list[str], seed: int) -> None:
    """Left to right at their own mask, the other one masked; and ranked among the entries."""
    codec, table = make_codec(), RankedTable(len(ENTRIES), seed)
    [text] = ask(codec, TWO_MASKS, targets=[[first, second]], table=table)
    ids = codec.tokenize(TWO_MASKS).tolist()
    for mask, (position, words) in enumerate([(2, first), (5, second)]):
        plain = table.log_probabilities(ids, position)
        for word in words:
            expected = score_by_hand(table, codec, TWO_MASKS, word, mask)
            scored = find(text, word, mask)
            assert scored.log_probability == pytest.approx(expected, abs=1e-5)
            [rank] = count_above(plain, np.array([scored.log_probability], np.float32))
            assert scored.rank == rank


def test_word_of_several_pieces_says_what_each_gave(codec: TextCodec) -> None:
    """Their log-probabilities add up to its own."""
    [text] = ask(codec, targets=[["swimmers"]])
    [scored] = text.masks[0]
    assert scored.target.match == "pieces"
    assert scored.target.entries == ("swim", "##mer", "##s")
    assert len(scored.pieces) == 3
    assert scored.log_probability == pytest.approx(sum(scored.pieces))


def test_all_words_are_scored_in_one_round_and_ranked_in_another(codec: TextCodec) -> None:
    """Words that begin alike share rows, if they are of one length."""
    table = RankedTable(len(ENTRIES))
    ask(codec, targets=[["bank", "swimming", "swimmer", "swimmers"]], table=table)
    # [MASK][MASK], swim[MASK]; [MASK][MASK][MASK], swim[MASK][MASK], swim##mer[MASK].
    assert table.rounds == [5, 1]


def test_entries_alone_take_one_round_and_one_row(codec: TextCodec) -> None:
    """As the plain answer does."""
    table = RankedTable(len(ENTRIES))
    ask(codec, targets=[["bank", "pool", "."]], table=table)
    assert table.rounds == [1]


def test_unknown_targets_are_reported_and_ask_nothing(codec: TextCodec) -> None:
    """Neither their first piece nor [UNK] stands for them."""
    table = RankedTable(len(ENTRIES))
    [text] = ask(codec, targets=[["bankxyz", "xyz", "", "a [MASK]"]], table=table)
    assert spell(text) == ["bankxyz", "xyz", "", "a [MASK]"]
    for scored in text.masks[0]:
        assert scored.target.match == "unknown"
        assert (scored.log_probability, scored.score, scored.rank) == (None, None, None)
        assert text.spliced_sequence(0, scored) is None
    assert table.rounds == []


def test_text_without_a_known_target_stands_beside_one_with(codec: TextCodec) -> None:
    """The results of one are never taken for those of the other."""
    texts = (TEXT, "a [MASK] .", "the [MASK] .")
    table = RankedTable(len(ENTRIES))
    answers = ask(codec, *texts, targets=[["swims"], ["xyz"], ["pool"]], table=table)
    assert [text.masks[0][0].target.match for text in answers] == ["pieces", "unknown", "exact"]
    pool = table.log_probabilities(codec.tokenize(texts[2]).tolist(), 2)[ENTRIES.index("pool")]
    assert answers[2].masks[0][0].log_probability == pool


def test_likeliest_come_first_and_unknown_last(codec: TextCodec) -> None:
    """In the order of their log-probabilities."""
    [text] = ask(codec, targets=[["xyz", "bank", "pool", "swims", "a"]])
    known = [scored.log_probability or 0.0 for scored in text.masks[0][:-1]]
    assert known == sorted(known, reverse=True)
    assert spell(text)[-1] == "xyz"


def test_top_k_takes_the_best_targets(codec: TextCodec) -> None:
    """Those that would come first without it."""
    targets = [["xyz", "bank", "pool", "swims", "a"]]
    [all_] = ask(codec, targets=targets)
    [best] = ask(codec, targets=targets, top_k=2)
    assert best.masks[0] == all_.masks[0][:2]


def test_one_list_is_for_all_masks(codec: TextCodec) -> None:
    """Each of them is scored for all words."""
    [text] = ask(codec, TWO_MASKS, targets=[["bank", "swims"]])
    assert [sorted(spell(text, mask)) for mask in range(2)] == [["bank", "swims"]] * 2


def test_every_mask_may_have_a_list_of_its_own(codec: TextCodec) -> None:
    """And another input may have one list for all of its masks."""
    texts = ask(codec, TWO_MASKS, TWO_MASKS, targets=[[["bank"], ["swims", "a"]], ["pool"]])
    spelled = [[sorted(spell(text, mask)) for mask in range(2)] for text in texts]
    assert spelled == [[["bank"], ["a", "swims"]], [["pool"], ["pool"]]]


def test_spelling_is_kept_and_asked_for_once(codec: TextCodec) -> None:
    """Words that the vocabulary writes alike are answered alike, each as it was sent."""
    table = RankedTable(len(ENTRIES))
    [text] = ask(codec, targets=[["Bank", "bank", "bank", "SWIMS", "swims"]], table=table)
    assert sorted(spell(text)) == ["Bank", "SWIMS", "bank", "swims"]
    assert find(text, "Bank").log_probability == find(text, "bank").log_probability
    assert table.rounds == [2, 1]


def test_sequence_has_the_entry_or_the_target_itself(codec: TextCodec) -> None:
    """An entry as the vocabulary spells it, several as the caller does."""
    [text] = ask(codec, "He went to the [MASK] .", targets=[["Bank", "Swim Pool", "##s"]])
    sequences = {scored.target.text: text.spliced_sequence(0, scored) for scored in text.masks[0]}
    assert sequences == {
        "Bank": "He went to the bank .",
        "Swim Pool": "He went to the Swim Pool .",
        "##s": "He went to thes .",
    }


def test_word_that_makes_its_text_too_long_is_named(codec: TextCodec) -> None:
    """Before anything runs; a text of 12 tokens takes no word of two."""
    fitting = "he went to the [MASK] . a a a a"
    ask(codec, fitting, targets=[["bank"]])
    table = RankedTable(len(ENTRIES))
    with pytest.raises(TextTooLongError, match=r"13 tokens with the target 'swims' in it") as error:
        ask(codec, TEXT, fitting, targets=[["swims"], ["bank", "swims"]], table=table)
    assert error.value.input == 1
    assert table.rounds == []


def test_words_of_the_longest_length_fit(codec: TextCodec) -> None:
    """The limit itself is allowed."""
    [text] = ask(codec, "he went to the [MASK] . a a a", targets=[["swims"]])
    assert text.masks[0][0].target.match == "pieces"


def test_rows_of_all_rounds_and_inputs_count(codec: TextCodec) -> None:
    """Two for a word of two pieces and one for its rank, of each of two texts."""
    table = RankedTable(len(ENTRIES))
    request = {"targets": [["swims"], ["swims"]], "table": table}
    with pytest.raises(RequestLimitError, match="6 rows or more and the limit is 5"):
        ask(codec, TEXT, TEXT, max_rows=5, **request)
    assert table.rounds == []
    ask(codec, TEXT, TEXT, max_rows=6, **request)
    assert table.rounds == [4, 2]


def test_rows_are_not_counted_beyond_the_limit() -> None:
    """A body of long words could ask for millions."""
    codec = TextCodec(build_word_piece(ENTRIES), 400)
    words = ["a " * length for length in range(300, 310)]
    with pytest.raises(RequestLimitError, match="102 rows or more and the limit is 100"):
        ask(codec, TEXT, targets=[words], max_rows=100)


@pytest.mark.parametrize(
    ("targets", "limits", "sentence"),
    [
        ([["a", "bank"]], {"max_predictions": 3}, "4 predictions and the limit is 3"),
        ([["a", "bank"]], {"max_targets": 1}, "2 targets a text and the limit is 1"),
        ([[["a"], ["bank"]]], {"max_targets": 1}, "2 targets a text and the limit is 1"),
        ([["a"]], {"max_inputs": 0}, "1 inputs and the limit is 0"),
    ],
)
def test_more_than_the_limits_is_refused(
    codec: TextCodec, targets: Any, limits: dict[str, int], sentence: str
) -> None:
    """The sentence names the limit."""
    with pytest.raises(RequestLimitError, match=sentence):
        ask(codec, TWO_MASKS, targets=targets, **limits)


def test_top_k_counts_among_predictions(codec: TextCodec) -> None:
    """What is cut off is not in the answer."""
    ask(codec, TWO_MASKS, targets=[["a", "bank"]], top_k=1, max_predictions=2)


def test_lists_have_to_be_as_many_as_masks(codec: TextCodec) -> None:
    """The input at fault is named."""
    targets = [["a"], [["a"], ["bank"], ["pool"]]]
    with pytest.raises(TargetsMismatchError, match=r"3 lists of targets for 2 masks") as error:
        ask(codec, TEXT, TWO_MASKS, targets=targets)
    assert error.value.input == 1


def test_lists_have_to_be_as_many_as_inputs(codec: TextCodec) -> None:
    """Nobody's targets are guessed."""
    with pytest.raises(TargetsMismatchError, match=r"1 list of targets for 2 inputs"):
        ask(codec, TEXT, TEXT, targets=[["a"]])


def test_text_at_fault_is_named(codec: TextCodec) -> None:
    """As in every task."""
    with pytest.raises(MaskNotFoundError) as error:
        ask(codec, TEXT, "he went .", targets=[["a"], ["a"]])
    assert isinstance(error.value, InputError)
    assert error.value.input == 1


def test_all_that_is_tokenized_counts_as_text() -> None:
    """Many targets are read in a thread, as long texts are."""
    request = TargetsRequest(["12345", "1"], [["123", "1"], [["12"], ["1234"]]])
    assert request.characters == 5 + 1 + 3 + 1 + 2 + 4


def test_each_word_is_looked_up_once(codec: TextCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand words for dozens of masks would hold the event loop for a second."""
    looked_up: list[str] = []
    read_target = TextCodec.read_target

    def remember(codec: TextCodec, word: str, place: Place) -> Target:
        looked_up.append(word)
        return read_target(codec, word, place)

    monkeypatch.setattr(TextCodec, "read_target", remember)
    text = codec.encode("[MASK] a[MASK] [MASK]", top_k=1, targets=None, limits=TextLimits())
    read_words(["cat", "dog", "cat"], text, codec)
    assert looked_up == ["cat", "dog"]

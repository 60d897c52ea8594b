"""What a filter asks of an engine."""

import pytest

from model_store.encoder.tokenizers.place import Place
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.errors import RequestLimitError
from model_store.tasks import Done, TaskLimits, advance
from model_store.tasks.candidate_filter import CandidateFilter
from model_store.tasks.fill import FillRequest
from model_store.text.questions import Filtered
from model_store.text.target import Target
from model_store.text.text_codec import TextCodec

ENTRIES = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("may", "May", "MAY", "mAy", "june", "June", "##s"),
)


def ask(wanted: CandidateFilter, inputs: int = 1, index: int = 0) -> Filtered:
    """Return what a cased model is asked about one of some inputs."""
    codec = TextCodec(build_word_piece(ENTRIES, lowercase=False), 12)
    task = FillRequest(["[MASK]"] * inputs, top_k=3, filter=wanted).start(codec, TaskLimits())
    encodings = advance(task)
    assert not isinstance(encodings, Done)
    question = encodings[index].question
    assert isinstance(question, Filtered)
    return question


def list_excluded(wanted: CandidateFilter, inputs: int = 1, index: int = 0) -> list[str]:
    """Return the entries that a cased model leaves out."""
    return [ENTRIES[token] for token in ask(wanted, inputs, index).excluded_ids]


def test_options_are_handed_on() -> None:
    """With how many predictions are wanted."""
    question = ask(CandidateFilter(whole_words=True, alphabetic=False, min_score=0.5))
    assert (question.top_k, question.min_score) == (3, 0.5)
    assert (question.whole_words, question.alphabetic) == (True, False)


def test_excluded_words_are_left_out_as_they_are_spelled() -> None:
    """A cased vocabulary tells them apart on purpose."""
    assert list_excluded(CandidateFilter(exclude=["May", "june"])) == ["May", "june"]


def test_original_is_left_out_in_lower_and_upper_case_and_capitalized() -> None:
    """Nobody who looks for other words is helped by the same one."""
    assert list_excluded(CandidateFilter(originals=["may"])) == ["may", "May", "MAY"]
    assert list_excluded(CandidateFilter(originals=["mAy"])) == ["may", "May", "MAY", "mAy"]


def test_each_input_has_its_own_original_beside_what_all_exclude() -> None:
    """One an input, in order."""
    wanted = CandidateFilter(exclude=["##s"], originals=["may", "June"])
    assert list_excluded(wanted, 2, 0) == ["may", "May", "MAY", "##s"]
    assert list_excluded(wanted, 2, 1) == ["june", "June", "##s"]


def test_word_that_is_no_single_entry_leaves_nothing_out() -> None:
    """Neither its first piece nor [UNK]."""
    assert list_excluded(CandidateFilter(exclude=["mays", "july", "may June", ""])) == []


def test_excluded_words_have_a_limit() -> None:
    """That of targets."""
    request = FillRequest(["[MASK]"], 1, filter=CandidateFilter(exclude=["a", "b"]))
    request.check(TaskLimits(max_targets=2))
    with pytest.raises(RequestLimitError, match="2 excluded words and the limit is 1"):
        request.check(TaskLimits(max_targets=1))


def test_excluded_words_count_as_text() -> None:
    """Many are read in a thread, as long texts are."""
    wanted = CandidateFilter(exclude=["12", "345"], originals=["6"])
    assert FillRequest(["[MASK]"], 1, filter=wanted).characters == 6 + 6


def test_words_are_looked_up_once_for_all_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of texts and a thousand words would hold the event loop for seconds."""
    looked_up: list[str] = []
    read_target = TextCodec.read_target

    def remember(codec: TextCodec, word: str, place: Place) -> Target:
        looked_up.append(word)
        return read_target(codec, word, place)

    monkeypatch.setattr(TextCodec, "read_target", remember)
    ask(CandidateFilter(exclude=["May", "june"]), inputs=3)
    assert [word for word in looked_up if word] == ["May", "june"]

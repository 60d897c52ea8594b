"""The tokens of texts, in text-embeddings-inference's form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import make_tokenizer
from model_store.errors import InputError, RequestLimitError, TextTooLongError
from model_store.tasks import Done, TaskLimits, advance
from model_store.tasks.tokenize import TokenizeRequest
from model_store.text.encoding import TextLimits
from model_store.text.text_codec import TextCodec
from model_store.text.tokenized_text import Token

CODEC = TextCodec(make_tokenizer(), max_sequence_length=4)


def tokenize(request: TokenizeRequest, limits: TaskLimits | None = None) -> list[list[Token]]:
    """Run the task, which needs no score."""
    step = advance(request.start(CODEC, limits or TaskLimits()))
    assert isinstance(step, Done)
    return step.answer


def test_tokens_have_the_form_of_text_embeddings_inference() -> None:
    """Special ones have their names and no place, others the caller's own spelling."""
    assert tokenize(TokenizeRequest(["The cats [MASK]."])) == [
        [
            Token(14, "[CLS]", special=True, start=None, stop=None),
            Token(3, "The", special=False, start=0, stop=3),
            Token(8, "cat", special=False, start=4, stop=7),
            Token(2, "s", special=False, start=7, stop=8),
            Token(16, "[MASK]", special=False, start=9, stop=15),
            Token(11, ".", special=False, start=15, stop=16),
            Token(15, "[SEP]", special=True, start=None, stop=None),
        ]
    ]


@given(st.text(max_size=40), st.booleans())
def test_places_are_characters_of_the_text(text: str, special: bool) -> None:
    """Whatever their bytes; and a text that the model could not take is listed all the same."""
    (tokens,) = tokenize(TokenizeRequest([text], add_special_tokens=special))
    assert [token.text for token in tokens if not token.special] == [
        text[token.start : token.stop] for token in tokens if not token.special
    ]
    assert [token.text for token in tokens if token.special] == ["[CLS]", "[SEP]"] * special


def test_ids_are_those_that_the_model_reads() -> None:
    """A position is an index in this list."""
    (tokens,) = tokenize(TokenizeRequest(["the capital of [MASK]"]))
    assert [token.id for token in tokens] == CODEC.tokenize("the capital of [MASK]").tolist()


def test_no_more_tokens_are_listed_than_an_answer_may_hold() -> None:
    """Over all texts."""
    limits = TaskLimits(max_listed_tokens=6)
    request = TokenizeRequest(["the cat", "cat"], add_special_tokens=False)
    assert sum(map(len, tokenize(request, limits))) == 3
    with pytest.raises(RequestLimitError, match="7 tokens and the limit is 6"):
        tokenize(TokenizeRequest(["the cat", "cat"]), limits)


@pytest.mark.parametrize(
    ("inputs", "limits", "error"),
    [
        (["a", "b"], TaskLimits(max_inputs=1), RequestLimitError),
        (["a", "bcd"], TaskLimits(text=TextLimits(max_characters=2)), TextTooLongError),
    ],
)
def test_what_no_model_could_answer_is_refused_before_one_is_asked(
    inputs: list[str], limits: TaskLimits, error: type[InputError]
) -> None:
    """Too many texts, or too long ones."""
    with pytest.raises(error):
        TokenizeRequest(inputs).check(limits)


def test_text_that_is_too_long_is_named() -> None:
    """By its index."""
    limits = TaskLimits(text=TextLimits(max_characters=2))
    with pytest.raises(TextTooLongError) as raised:
        TokenizeRequest(["a", "bcd"]).check(limits)
    assert raised.value.input == 1


def test_what_is_to_be_tokenized_is_measured() -> None:
    """So that long texts go to a thread."""
    assert TokenizeRequest(["the", "cat."]).characters == 7

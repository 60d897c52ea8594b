"""What callers give, read: a string for a list of one, and nothing that no tokenizer takes."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias, TypeVar

from model_store.errors import InputError
from model_store.tasks.joint.variants import SpanLengths
from model_store.tasks.score import GAP
from model_store.text.text_pair import Input, TextPair, list_texts

Read = TypeVar("Read")

Texts: TypeAlias = str | Iterable[str]
"""A text, or several."""

Inputs: TypeAlias = str | TextPair | Iterable[str | TextPair]
"""A text, or two that are read together, or several of these."""

Targets: TypeAlias = str | Sequence[str] | Sequence[Sequence[str]]
"""The words for every mask of every input; or, for each input, those for its masks."""


def read_texts(texts: Texts) -> list[str]:
    """Return texts as a list.

    Raises:
        InputError: one is no string, or holds half of a surrogate pair.
    """
    read = [texts] if isinstance(texts, str) else list(_require_several(texts))
    for index, text in enumerate(read):
        _require_texts(index, text)
    return read


def read_inputs(inputs: Inputs) -> list[Input]:
    """Return texts and pairs of texts as a list.

    Raises:
        InputError: one is neither, or holds half of a surrogate pair.
    """
    if isinstance(inputs, str | TextPair):
        return read_inputs([inputs])
    read = list(_require_several(inputs))
    for index, each in enumerate(read):
        _require_texts(index, *(list_texts(each) if isinstance(each, TextPair) else [each]))
    return read


def read_targets(targets: Targets, inputs: int) -> list[list[str]]:
    """Return one list of targets for each input.

    Raises:
        InputError: there are none for an input, or one is no text.
    """
    listed: Sequence[str | Sequence[str]] = [targets] if isinstance(targets, str) else targets
    words = [target for target in listed if isinstance(target, str)]
    is_for_all = len(words) == len(listed)
    lists = (
        [read_texts(words)] * inputs if is_for_all else [read_texts(target) for target in listed]
    )
    for index, words in enumerate(lists):
        if not words:
            message = "There are no targets; give at least one, or leave `targets` out."
            error = InputError(message)
            error.input = index
            raise error
    return lists


def read_span(least: int, most: int) -> SpanLengths:
    """Return how many masks a run may have.

    Raises:
        InputError: none, or fewer at the most than at the least.
    """
    if not 1 <= least <= most:
        message = f"span is ({least}, {most}); give (1, 3) or the like, the lower number first."
        raise InputError(message)
    return SpanLengths(least, most)


def require_at_least_one(what: str, count: int) -> None:
    """Refuse a count of nothing.

    Raises:
        InputError: it is one.
    """
    if count < 1:
        message = f"{what} is {count}; ask for at least 1."
        raise InputError(message)


def require_one_gap(template: str) -> None:
    """Refuse a template whose candidates have no place, or several.

    Raises:
        InputError: it is one.
    """
    if template.count(GAP) != 1:
        message = f"The template needs one {GAP}, where its candidates go."
        raise InputError(message)


def _require_several(texts: Iterable[Read]) -> Iterable[Read]:
    if not isinstance(texts, Iterable):
        message = f"{type(texts).__name__} is no text, and no list of texts; give strings."
        raise InputError(message)
    return texts


def _require_texts(index: int, *texts: object) -> None:
    """Refuse what no tokenizer takes, and say which input it is."""
    try:
        for text in texts:
            _require_text(text)
    except InputError as error:
        error.input = index
        raise


def _require_text(text: object) -> None:
    if not isinstance(text, str):
        message = f"{type(text).__name__} is no text; give strings."
        raise InputError(message)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "A lone surrogate is no character; decode the text anew, or replace it."
        raise InputError(message) from error

"""The texts of one request, read one by one."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from model_store.errors import InputError

Text = TypeVar("Text")
Read = TypeVar("Read")


def read_each(inputs: Sequence[Text], read: Callable[[Text], Read]) -> list[Read]:
    """Return what is read from each text, in order.

    Raises:
        InputError: a text cannot be used; it says which one.
    """
    texts: list[Read] = []
    for index, text in enumerate(inputs):
        try:
            texts.append(read(text))
        except InputError as error:
            error.input = index
            raise
    return texts

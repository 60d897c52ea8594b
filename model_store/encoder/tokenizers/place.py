"""Where in a text a word stands, by which some vocabularies spell it in one way or another."""

from enum import Enum


class Place(Enum):
    """Where in a text a word stands."""

    START = "start"
    """With nothing before it."""
    WORD = "word"
    """After white space."""
    REST = "rest"
    """Glued to what is before it."""


def find_place(text: str, start: int) -> Place:
    """Return the place of what starts at a character of a text."""
    if start == 0:
        return Place.START
    return Place.WORD if text[start - 1].isspace() else Place.REST

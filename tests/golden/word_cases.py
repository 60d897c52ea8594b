"""The texts and words of the golden file of targets, and how it is read."""

import json
from pathlib import Path
from typing import Any

WORDS = {
    "He went to the [MASK].": (
        *("bank", "swimming pool", "ATM", "Reykjavik", "theatre royal", "bathrooms"),
    ),
    "The capital of [MASK] is [MASK].": ("France", "Liechtenstein", "New Zealand", "São Tomé"),
    "She is a very [MASK] person.": (
        *("good", "trustworthy", "unputdownable", "well-read", "naïve", "good-for-nothing"),
    ),
    "My favourite author is [MASK], who wrote many books.": (
        *("Shakespeare", "Dostoyevsky", "García Márquez", "J. K. Rowling", "O'Neill"),
    ),
    "[MASK] is a chemical element.": ("Iron", "praseodymium", "Ununoctium", "oxygen-18"),
    "I don't [MASK] it!": ("know", "can't", "misunderestimate", "3.14159", "$9.99"),
    "It was [MASK] [MASK], and nobody [MASK].": ("rainy", "antidisestablishmentarianism", "slept"),
    "Die Hauptstadt von [MASK] heißt Berlin.": ("Deutschland", "Preußen", "東京"),
}
"""Words of one piece and of up to nine, in any case, with accents, spaces and signs."""

PATH = Path(__file__).with_name("words_uncased.jsonl")


def read_words() -> list[dict[str, Any]]:
    """Return the lines: a text, and each word at each mask with its pieces."""
    return [json.loads(line) for line in PATH.read_text("utf-8").splitlines()]

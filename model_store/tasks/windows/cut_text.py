"""A text and the windows on it, and what was seen through them."""

from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from model_store.tasks.windows.window import Window, cut_windows
from model_store.text.encoding import Encoding
from model_store.text.long_text import LongText

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class SeenText(Generic[Answer]):
    """What is answered for a text, and what the model saw of it.

    Attributes:
        answer: the answer for the text, whole.
        seen: for each mask, where what was seen starts and ends, in characters.
        is_truncated: whether that is less than all of the text.
    """

    answer: Answer
    seen: tuple[tuple[int, int], ...]
    is_truncated: bool


@dataclass(frozen=True, slots=True)
class CutText:
    """A text and its windows."""

    whole: LongText
    windows: list[Window]

    @classmethod
    def make(cls, text: LongText, max_sequence_length: int) -> Self:
        """Cut the windows for a model that takes so many tokens."""
        positions = text.encoding.mask_positions.tolist()
        room = max(text.count_room(max_sequence_length), 1)
        return cls(text, cut_windows(positions, text.own, room))

    def encode(self) -> list[Encoding]:
        """Return what the model reads, a row a window."""
        return [self.whole.cut(window.tokens, window.masks) for window in self.windows]

    def show(self, answer: Answer) -> SeenText[Answer]:
        """Return an answer with what was seen for each mask."""
        seen = [self.whole.show(window.tokens) for window in self.windows for _ in window.masks]
        # A text that fits has one window, which is all of it.
        return SeenText(answer, tuple(seen), self.windows[0].tokens != self.whole.own)

"""The request to fill texts of any length."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from model_store.tasks.candidate_filter import CandidateFilter
from model_store.tasks.inputs import read_each
from model_store.tasks.limits import TaskLimits, require, require_answer
from model_store.tasks.task import Task
from model_store.tasks.windows.window import Window, cut_windows
from model_store.text.encoding import Encoding
from model_store.text.filled_text import FilledText, MaskScores
from model_store.text.long_text import LongText
from model_store.text.text_codec import TextCodec


@dataclass(frozen=True, slots=True)
class SeenText:
    """A text that was filled, and what the model saw of it.

    Attributes:
        filled: the text, whole.
        seen: for each mask, where what was seen starts and ends, in characters.
        is_truncated: whether that is less than all of the text.
    """

    filled: FilledText
    seen: tuple[tuple[int, int], ...]
    is_truncated: bool


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """Texts whose masks are to be filled, each seen through windows where it is too long.

    Attributes:
        inputs: the texts.
        top_k: how many predictions a mask.
        filter: what may be among the likeliest; None for whatever there is.
    """

    inputs: Sequence[str]
    top_k: int
    filter: CandidateFilter | None = None

    name = "windows"

    @property
    def characters(self) -> int:
        """How much text there is to tokenize."""
        return sum(map(len, self.inputs)) + (self.filter.characters if self.filter else 0)

    def check(self, limits: TaskLimits) -> None:
        """Refuse what no model could answer.

        Raises:
            RequestLimitError: too many inputs or predictions.
        """
        require("inputs", len(self.inputs), limits.max_inputs)
        require("predictions a mask", self.top_k, limits.max_top_k)
        if self.filter:
            self.filter.check(limits)

    def start(self, codec: TextCodec, limits: TaskLimits) -> Task[list[SeenText]]:
        """Return the task: one round, a row for each window.

        Raises:
            InputError: a text cannot be used, or there are too many predictions or windows.
        """
        texts = read_each(
            self.inputs,
            lambda text: codec.encode_whole(text, top_k=self.top_k, limits=limits.text),
        )
        asked = [self._filter(text, index, codec) for index, text in enumerate(texts)]
        wholes = (text.encoding for text in asked)
        predictions = (whole.predictions * len(whole.mask_positions) for whole in wholes)
        require_answer(zip(self.inputs, predictions, strict=True), limits)
        cut = [_CutText.make(text, codec.max_sequence_length) for text in asked]
        require("rows", sum(len(text.windows) for text in cut), limits.max_rows)
        results = iter((yield [encoding for text in cut for encoding in text.encode()]))
        return [text.decode(codec, [next(results) for _ in text.windows]) for text in cut]

    def _filter(self, text: LongText, index: int, codec: TextCodec) -> LongText:
        if self.filter is None:
            return text
        question = self.filter.ask(codec, index, self.top_k)
        return replace(text, encoding=replace(text.encoding, question=question))


@dataclass(frozen=True, slots=True)
class _CutText:
    """A text and its windows."""

    whole: LongText
    windows: list[Window]

    @classmethod
    def make(cls, text: LongText, max_sequence_length: int) -> Self:
        """Cut the windows of a model that takes so many tokens."""
        positions = text.encoding.mask_positions.tolist()
        room = text.count_room(max_sequence_length)
        return cls(text, cut_windows(positions, text.own, room))

    def encode(self) -> list[Encoding]:
        """Return what the model reads, a row a window."""
        return [self.whole.cut(window.tokens, window.masks) for window in self.windows]

    def decode(self, codec: TextCodec, results: Sequence[list[MaskScores]]) -> SeenText:
        """Put the answers of all windows together."""
        scores = [mask for window in results for mask in window]
        seen = [self.whole.show(window.tokens) for window in self.windows for _ in window.masks]
        # A text that fits has one window, which is all of it.
        is_truncated = self.windows[0].tokens != self.whole.own
        return SeenText(codec.decode(self.whole.encoding, scores), tuple(seen), is_truncated)

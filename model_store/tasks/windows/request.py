"""The request to fill texts of any length."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from model_store.tasks.candidate_filter import CandidateFilter
from model_store.tasks.inputs import read_each
from model_store.tasks.limits import TaskLimits, require, require_answer
from model_store.tasks.task import Task
from model_store.tasks.windows.cut_text import CutText, SeenText
from model_store.text.filled_text import FilledText, MaskScores
from model_store.text.long_text import LongText
from model_store.text.questions import Filtered
from model_store.text.text_codec import TextCodec


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

    def start(self, codec: TextCodec, limits: TaskLimits) -> Task[list[SeenText[FilledText]]]:
        """Return the task: one round, a row for each window.

        Raises:
            InputError: a text cannot be used, or there are too many predictions or windows.
        """
        texts = read_each(
            self.inputs,
            lambda text: codec.encode_whole(text, top_k=self.top_k, limits=limits.text),
        )
        if self.filter:
            questions = self.filter.ask(codec, len(texts), self.top_k)
            texts = [_ask(*pair) for pair in zip(texts, questions, strict=True)]
        wholes = (text.encoding for text in texts)
        predictions = (whole.predictions * len(whole.mask_positions) for whole in wholes)
        require_answer(zip(self.inputs, predictions, strict=True), limits)
        cut = [CutText.make(text, codec.max_sequence_length) for text in texts]
        require("rows", sum(len(text.windows) for text in cut), limits.max_rows)
        results = iter((yield [encoding for text in cut for encoding in text.encode()]))
        return [_decode(codec, text, [next(results) for _ in text.windows]) for text in cut]


def _ask(text: LongText, question: Filtered) -> LongText:
    return replace(text, encoding=replace(text.encoding, question=question))


def _decode(
    codec: TextCodec, text: CutText, results: Sequence[list[MaskScores]]
) -> SeenText[FilledText]:
    """Put the answers of all windows of a text together."""
    scores = [mask for window in results for mask in window]
    return text.show(codec.decode(text.whole.encoding, scores))

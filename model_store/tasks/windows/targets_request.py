"""The request to score targets in texts of any length."""

from collections.abc import Sequence
from dataclasses import dataclass

from model_store.tasks.inputs import read_each
from model_store.tasks.limits import TaskLimits, require, require_answer
from model_store.tasks.targets.request import (
    TargetsOfText,
    TargetsRequest,
    find_longest,
    read_words,
    require_words_fit,
    run_rounds,
)
from model_store.tasks.targets.target_scores import TargetScores
from model_store.tasks.task import Task
from model_store.tasks.windows.cut_text import CutText, SeenText
from model_store.text.targeted_text import TargetedText
from model_store.text.text_codec import TextCodec


@dataclass(frozen=True, slots=True)
class WindowTargetsRequest:
    """Texts and targets, each text seen through windows where it is too long.

    Attributes:
        inputs: the texts.
        targets: those of each text.
        top_k: how many targets a mask are answered, the likeliest; None for all of them.
    """

    inputs: Sequence[str]
    targets: Sequence[TargetsOfText]
    top_k: int | None = None

    name = "targets"

    @property
    def characters(self) -> int:
        """How much text there is to tokenize."""
        return self._of_whole_texts.characters

    def check(self, limits: TaskLimits) -> None:
        """Refuse what no model could answer.

        Raises:
            InputError: as of texts that fit.
        """
        self._of_whole_texts.check(limits)

    def start(self, codec: TextCodec, limits: TaskLimits) -> Task[list[SeenText[TargetedText]]]:
        """Return the task.

        Raises:
            InputError: a text cannot be used, a target is longer than a window, or there are too
                many predictions or rows.
        """
        top_k = self.top_k
        pairs = [*zip(self.inputs, self.targets, strict=True)]
        texts = read_each(pairs, lambda pair: _read(*pair, codec, limits))
        parts = [part for text in texts for part in text.parts]
        require("rows or more", sum(part.rows for part in parts), limits.max_rows)
        predictions = (sum(p.count_predictions(top_k) for p in text.parts) for text in texts)
        require_answer(zip(self.inputs, predictions, strict=True), limits)
        yield from run_rounds(parts, codec)
        return [text.answer(top_k, codec) for text in texts]

    @property
    def _of_whole_texts(self) -> TargetsRequest:
        return TargetsRequest(self.inputs, self.targets, self.top_k)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text with its windows, and the targets of each."""

    cut: CutText
    parts: list[TargetScores]

    def answer(self, top_k: int | None, codec: TextCodec) -> SeenText[TargetedText]:
        """Put the answers of all windows together."""
        masks = [mask for part in self.parts for mask in part.answer(top_k, codec).masks]
        return self.cut.show(TargetedText(self.cut.whole.encoding, tuple(masks), codec))


def _read(text: str, targets: TargetsOfText, codec: TextCodec, limits: TaskLimits) -> _Text:
    whole = codec.encode_whole(text, top_k=1, limits=limits.text)
    words = read_words(targets, whole.encoding, codec)
    # A word of several pieces takes the place of one mask.
    more = max(len(find_longest(words).token_ids) - 1, 0)
    cut = CutText.make(whole, codec.max_sequence_length - more)
    parts = []
    for window, encoding in zip(cut.windows, cut.encode(), strict=True):
        of_window = [words[mask] for mask in window.masks]
        require_words_fit(of_window, encoding, codec)
        parts.append(TargetScores(encoding, of_window, limits.max_rows))
    return _Text(cut, parts)

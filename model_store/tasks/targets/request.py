"""Words that a caller proposes for masks, each scored as what it is.

A word that is one entry of the vocabulary has the probability that the plain answer gives it. A
word of several pieces is scored as a whole. What the vocabulary cannot write is said to be unknown.

    words     the rows of all words of several pieces, where there are any
    ranks     each text as it is: its words of one entry, and the ranks of all words
"""

import reprlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from model_store.errors import InputError, TargetsMismatchError, TextTooLongError
from model_store.tasks.limits import TaskLimits, require, require_answer
from model_store.tasks.targets.target_scores import TargetScores
from model_store.tasks.task import Task
from model_store.text.encoding import Encoding
from model_store.text.target import Target
from model_store.text.targeted_text import TargetedText
from model_store.text.text_codec import TextCodec
from model_store.text.text_pair import Input

TargetsOfText: TypeAlias = Sequence[str] | Sequence[Sequence[str]]
"""Those for every mask of a text, or a list of them for each of its masks."""


@dataclass(frozen=True, slots=True)
class TargetsRequest:
    """Texts, and the words proposed for their masks.

    Attributes:
        inputs: the texts, or pairs of them.
        targets: those of each text.
        top_k: how many targets a mask are answered, the likeliest; None for all of them.
    """

    inputs: Sequence[Input]
    targets: Sequence[TargetsOfText]
    top_k: int | None = None

    name = "targets"

    @property
    def characters(self) -> int:
        """How much text there is to tokenize."""
        words = sum(len(word) for targets in self.targets for word in _flatten(targets))
        return words + sum(map(len, self.inputs))

    def check(self, limits: TaskLimits) -> None:
        """Refuse what no model could answer.

        Raises:
            RequestLimitError: too many inputs or targets.
            TargetsMismatchError: not one list of targets an input.
        """
        require("inputs", len(self.inputs), limits.max_inputs)
        if len(self.targets) != len(self.inputs):
            raise TargetsMismatchError(len(self.targets), len(self.inputs))
        most = max(sum(1 for _ in _flatten(targets)) for targets in self.targets)
        require("targets a text", most, limits.max_targets)

    def start(self, codec: TextCodec, limits: TaskLimits) -> Task[list[TargetedText]]:
        """Return the task.

        Raises:
            InputError: a text cannot be used, also with a target in it, its lists of targets are
                not as many as its masks, or there are too many predictions or rows.
        """
        texts = self._read(codec, limits)
        yield from run_rounds(texts, codec)
        return [text.answer(self.top_k, codec) for text in texts]

    def _read(self, codec: TextCodec, limits: TaskLimits) -> list[TargetScores]:
        texts: list[TargetScores] = []
        rows = 0
        for index, (text, targets) in enumerate(zip(self.inputs, self.targets, strict=True)):
            try:
                encoding = codec.encode(text, top_k=1, targets=None, limits=limits.text)
                words = read_words(targets, encoding, codec)
                require_words_fit(words, encoding, codec)
            except InputError as error:
                error.input = index
                raise
            texts.append(TargetScores(encoding, words, limits.max_rows))
            # Before the next text is read: few long words become very many rows.
            rows += texts[-1].rows
            require("rows or more", rows, limits.max_rows)
        predictions = (text.count_predictions(self.top_k) for text in texts)
        require_answer(zip(self.inputs, predictions, strict=True), limits)
        return texts


def run_rounds(texts: Sequence[TargetScores], codec: TextCodec) -> Task[None]:
    """Have all targets of some texts scored, those of several pieces first."""
    rows = [row for text in texts for row in text.encode_words(codec.mask_token_id)]
    if rows:
        word_scores = iter((yield rows))
        for text in texts:
            text.take_words(word_scores)
    known = [text for text in texts if text.is_known]
    if known:
        results = yield [text.encode() for text in known]
        for text, scores in zip(known, results, strict=True):
            text.take(scores)


def read_words(targets: TargetsOfText, encoding: Encoding, codec: TextCodec) -> list[list[Target]]:
    """Return the targets of each mask of a text, each spelling once.

    Raises:
        TargetsMismatchError: there are several lists, and not one for each mask.
    """
    proposed = _spread(targets, len(encoding.mask_positions))
    places = [codec.find_place(encoding, mask) for mask in range(len(proposed))]
    # Each word once in a place: most are proposed for every mask.
    words = dict.fromkeys(
        (word, place) for mask, place in zip(proposed, places, strict=True) for word in mask
    )
    read = {asked: codec.read_target(*asked) for asked in words}
    return [
        [read[word, place] for word in dict.fromkeys(mask)]
        for mask, place in zip(proposed, places, strict=True)
    ]


def _flatten(targets: TargetsOfText) -> Iterator[str]:
    for target in targets:
        if isinstance(target, str):
            yield target
        else:
            yield from target


def _spread(targets: TargetsOfText, masks: int) -> list[list[str]]:
    """Return one list of targets a mask."""
    lists = [list(target) for target in targets if not isinstance(target, str)]
    if not lists:
        return [list(_flatten(targets))] * masks
    if len(lists) != masks:
        raise TargetsMismatchError(len(lists), masks, "mask")
    return lists


def require_words_fit(
    words: Sequence[Sequence[Target]], encoding: Encoding, codec: TextCodec
) -> None:
    """Refuse a text that is too long with a target in it.

    Args:
        words: the targets of each mask.
        encoding: the text.
        codec: that of the model.

    Raises:
        TextTooLongError: it is, with the longest of them.
    """
    longest = find_longest(words)
    length = len(encoding.token_ids) - 1 + len(longest.token_ids)
    if length > codec.max_sequence_length:
        unit = f"tokens with the target {reprlib.repr(longest.text)} in it"
        raise TextTooLongError(length, codec.max_sequence_length, unit)


def find_longest(words: Sequence[Sequence[Target]]) -> Target:
    """Return the target of most pieces."""
    return max((word for mask in words for word in mask), key=lambda word: len(word.token_ids))

"""The request to fill the masks of texts together."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from model_store.errors import TooManyMasksError
from model_store.tasks.inputs import read_each
from model_store.tasks.joint.beam import Beam, Path, search_beam
from model_store.tasks.joint.filled_sequence import FilledSequence, write_sequence
from model_store.tasks.joint.variants import SpanLengths, Variant, Variants
from model_store.tasks.limits import TaskLimits, require, require_answer
from model_store.tasks.task import Task
from model_store.tasks.together import run_together
from model_store.text.text_codec import TextCodec

_USUAL_SEQUENCES = 5
_USUAL_WIDTH = 8
_ROWS = "rows (masks, their lengths and the width of the beam make many)"


@dataclass(frozen=True, slots=True)
class JointText:
    """The fillings of one text.

    Attributes:
        sequences: the likeliest first; those of different lengths by what a token has in the mean.
        independent: each mask filled by itself, and weighed by the same steps as the others.
        tokens: how long the caller's text is, special tokens included.
        seen: where what the model saw for the first sequence starts and ends, in characters.
        is_truncated: whether it saw less than all of the text.
    """

    sequences: tuple[FilledSequence, ...]
    independent: FilledSequence
    tokens: int
    seen: tuple[int, int]
    is_truncated: bool


@dataclass(frozen=True, slots=True)
class JointRequest:
    """Texts whose masks are to be filled so that they fit each other.

    Attributes:
        inputs: the texts.
        sequences: how many fillings are returned at most; None for 5.
        beam_width: how many are followed at a time, of each text and each length; None for 8 if
            as many are allowed, or `sequences` if that is more.
        span: the lengths that are tried for each run of masks; None for the one that it has.
        is_cut: whether a text that is too long is cut to a window around its masks.
    """

    inputs: Sequence[str]
    sequences: int | None = None
    beam_width: int | None = None
    span: SpanLengths | None = None
    is_cut: bool = False

    name = "joint"

    @property
    def characters(self) -> int:
        """How much text there is to tokenize."""
        return sum(map(len, self.inputs))

    def check(self, limits: TaskLimits) -> None:
        """Refuse what no model could answer.

        Raises:
            RequestLimitError: too many inputs, too wide a beam, or too many sequences.
        """
        require("inputs", len(self.inputs), limits.max_inputs)
        require("paths in a beam", self._choose_width(limits), limits.max_beam_width)
        require("sequences a text", self._count, limits.max_top_k)

    def start(self, codec: TextCodec, limits: TaskLimits) -> Task[list[JointText]]:
        """Return the task: a round for each mask of the text that has most, and one more at most.

        Raises:
            InputError: a text cannot be used, or all of them take too many rows.
        """
        width = self._choose_width(limits)
        texts = read_each(self.inputs, lambda text: self._read(text, codec, limits))
        require(_ROWS, sum(text.count_rows(width) for text in texts), limits.max_rows)
        predictions = (self._count * text.most_masks for text in texts)
        require_answer(zip(self.inputs, predictions, strict=True), limits)
        cut = read_each(texts, lambda text: self._cut(text, codec))
        searches = [search_beam(variant.text, width) for variants in cut for variant in variants]
        beams = iter((yield from run_together(searches)))
        return [
            _Found(codec, [(variant, next(beams)) for variant in variants]).write(
                len(text.whole.encoding.token_ids), self._count
            )
            for text, variants in zip(texts, cut, strict=True)
        ]

    @property
    def _count(self) -> int:
        return self.sequences or _USUAL_SEQUENCES

    def _choose_width(self, limits: TaskLimits) -> int:
        usual = min(_USUAL_WIDTH, limits.max_beam_width)
        return self.beam_width or max(usual, self.sequences or 1)

    def _read(self, text: str, codec: TextCodec, limits: TaskLimits) -> Variants:
        whole = codec.encode_whole(text, top_k=1, limits=limits.text)
        variants = Variants(whole, self.span)
        if variants.most_masks > limits.text.max_masks:
            raise TooManyMasksError(variants.most_masks, limits.text.max_masks)
        if not self.is_cut:
            codec.require_fit(variants.most_tokens)
        return variants

    def _cut(self, text: Variants, codec: TextCodec) -> list[Variant]:
        return [*text.cut(codec.max_sequence_length)]


@dataclass(frozen=True, slots=True)
class _Found:
    """The beams of all variants of one text."""

    codec: TextCodec
    beams: list[tuple[Variant, Beam]]

    def write(self, tokens: int, sequences: int) -> JointText:
        """Return the best of them."""
        paths = [(path, *found) for found in self.beams for path in found[1].paths]
        alone = [(found[1].alone, *found) for found in self.beams]
        best = heapq.nlargest(sequences, paths, key=lambda each: each[0].mean_log_prob)
        return JointText(
            sequences=tuple(self._write(*each) for each in best),
            independent=self._write(*max(alone, key=lambda each: each[0].mean_log_prob)),
            tokens=tokens,
            seen=best[0][1].seen,
            is_truncated=any(variant.is_truncated for variant, _ in self.beams),
        )

    def _write(self, path: Path, variant: Variant, beam: Beam) -> FilledSequence:
        return write_sequence(variant.text, path, beam, self.codec)

"""The simplest task: the likeliest entries, or those that are asked for, at every mask."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from model_store.errors import TargetsMismatchError
from model_store.tasks.candidate_filter import CandidateFilter
from model_store.tasks.inputs import read_each
from model_store.tasks.limits import TaskLimits, require, require_answer
from model_store.tasks.task import Task
from model_store.text.encoding import Encoding
from model_store.text.filled_text import FilledText
from model_store.text.text_codec import TextCodec
from model_store.text.text_pair import Input


@dataclass(frozen=True, slots=True)
class FillRequest:
    """Texts whose masks are to be filled.

    Attributes:
        inputs: the texts, or pairs of them.
        top_k: how many predictions a mask.
        targets: one list an input: the entries to score; None for the likeliest.
        filter: what may be among the likeliest; None for whatever there is.
        own_mask: whether `[MASK]` is a mask only where the preset itself spells it so, as for
            Transformers' pipeline.
    """

    inputs: Sequence[Input]
    top_k: int
    targets: Sequence[Sequence[str]] | None = None
    filter: CandidateFilter | None = None
    own_mask: bool = False

    name = "fill"

    @property
    def characters(self) -> int:
        """How much text there is to tokenize."""
        return sum(map(len, self.inputs)) + (self.filter.characters if self.filter else 0)

    def check(self, limits: TaskLimits) -> None:
        """Refuse what no model could answer.

        Raises:
            RequestLimitError: too many inputs, predictions or targets.
            TargetsMismatchError: not one list of targets an input.
        """
        require("inputs", len(self.inputs), limits.max_inputs)
        require("rows", len(self.inputs), limits.max_rows)
        if self.filter:
            self.filter.check(limits)
        if self.targets is None:
            require("predictions a mask", self.top_k, limits.max_top_k)
            return
        if len(self.targets) != len(self.inputs):
            raise TargetsMismatchError(len(self.targets), len(self.inputs))
        require("targets a text", max(map(len, self.targets), default=0), limits.max_targets)

    def start(self, codec: TextCodec, limits: TaskLimits) -> Task[list[FilledText]]:
        """Return the task: one round, one row an input.

        Raises:
            InputError: a text or a target cannot be used, or there are too many predictions.
        """
        encodings = self._encode(codec, limits)
        scores = yield encodings
        return [codec.decode(*pair) for pair in zip(encodings, scores, strict=True)]

    def _encode(self, codec: TextCodec, limits: TaskLimits) -> list[Encoding]:
        def encode(asked: tuple[Input, Sequence[str] | None]) -> Encoding:
            text, wanted = asked
            return codec.encode(
                text,
                top_k=self.top_k,
                targets=wanted,
                limits=limits.text,
                own_mask=self.own_mask,
            )

        # One list an input, as has been checked, or none at all.
        encodings = read_each([*zip_longest(self.inputs, self.targets or ())], encode)
        if self.filter:
            questions = self.filter.ask(codec, len(encodings), self.top_k)
            pairs = zip(encodings, questions, strict=True)
            encodings = [replace(encoding, question=question) for encoding, question in pairs]
        predictions = (each.predictions * len(each.mask_positions) for each in encodings)
        require_answer(zip(self.inputs, predictions, strict=True), limits)
        return encodings

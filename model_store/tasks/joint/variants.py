"""One text, and every length that its runs of masks are tried with."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from model_store.errors import DistantMasksError
from model_store.tasks.joint.beam import count_rows
from model_store.tasks.joint.mask_runs import MaskRun, find_runs, stretch
from model_store.tasks.windows.window import centre
from model_store.text.encoding import Encoding
from model_store.text.long_text import LongText


@dataclass(frozen=True, slots=True)
class SpanLengths:
    """How many masks a run may have: from `least`, 1 or more, to `most`."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Variant:
    """A text with runs of some lengths, as the model reads it.

    Attributes:
        text: what is read.
        seen: where that starts and ends in the caller's text, in characters.
        is_truncated: whether it is less than all of it.
    """

    text: Encoding
    seen: tuple[int, int]
    is_truncated: bool


class Variants:
    """A text and the lengths of its runs; how many there are is known before any is made."""

    def __init__(self, whole: LongText, span: SpanLengths | None) -> None:
        """Take the lengths that are given for every run, or those that the runs have."""
        self.whole = whole
        self._runs = find_runs(whole.encoding)
        self._lengths = [_list_lengths(run, span) for run in self._runs]

    @property
    def most_masks(self) -> int:
        """How many masks the longest has."""
        return sum(lengths[-1] for lengths in self._lengths)

    @property
    def most_tokens(self) -> int:
        """How many tokens the longest has, special ones included."""
        whole = self.whole.encoding
        return len(whole.token_ids) - len(whole.mask_positions) + self.most_masks

    def count_rows(self, beam_width: int) -> int:
        """Return the most rows that the beams of all take together."""
        # The rows of one grow evenly with its masks, so the shortest and the longest tell the mean.
        least = count_rows(sum(lengths[0] for lengths in self._lengths), beam_width)
        most = count_rows(self.most_masks, beam_width)
        return prod(map(len, self._lengths)) * (least + most) // 2

    def cut(self, max_sequence_length: int) -> Iterator[Variant]:
        """Yield each with as much of the text around its masks as a model takes.

        Raises:
            DistantMasksError: a model cannot be shown all masks at once.
        """
        for lengths in product(*self._lengths):
            text = stretch(self.whole, self._runs, lengths)
            positions = text.encoding.mask_positions
            first, last = int(positions[0]), int(positions[-1])
            room = text.count_room(max_sequence_length)
            if last - first >= room:
                raise DistantMasksError(last - first + 1, room)
            window = centre(first, last, text.own, room)
            shown = text.cut(window, range(len(positions)))
            yield Variant(shown, text.show(window), window != text.own)


def _list_lengths(run: MaskRun, span: SpanLengths | None) -> range:
    least, most = (span.least, span.most) if span else (len(run.masks), len(run.masks))
    return range(least, most + 1)

"""A text with all of its masks filled, and how likely that is."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from model_store.tasks.joint.beam import Beam, Path
from model_store.tasks.joint.mask_runs import MaskRun, find_runs
from model_store.text.encoding import Encoding
from model_store.text.text_codec import TextCodec

_CJK = "[\u3400-\u9fff\uf900-\ufaff]"
_between_cjk = re.compile(f"(?<={_CJK}) (?={_CJK})")


@dataclass(frozen=True, slots=True)
class JointMask:
    """What fills one mask.

    Attributes:
        token: the entry's id.
        token_str: the entry.
        marginal: its probability with every mask of the text still there.
        conditional: its probability given the masks that were filled before it.
        order: how many these were.
    """

    token: int
    token_str: str
    marginal: float
    conditional: float
    order: int


@dataclass(frozen=True, slots=True)
class FilledSpan:
    """A run of masks, filled.

    Attributes:
        start: where the run starts in the caller's text, in characters.
        end: where it ends.
        text: what stands in its place.
        masks: what fills each of its masks.
    """

    start: int
    end: int
    text: str
    masks: tuple[JointMask, ...]


@dataclass(frozen=True, slots=True)
class FilledSequence:
    """All masks of a text, filled.

    Attributes:
        text: the caller's own, with every run filled.
        log_prob: the log-probability of all that fills them together, in nats.
        mean_log_prob: that a mask; by this, fillings of different lengths are compared.
        spans: the runs, in order.
    """

    text: str
    log_prob: float
    mean_log_prob: float
    spans: tuple[FilledSpan, ...]


def write_sequence(text: Encoding, path: Path, beam: Beam, codec: TextCodec) -> FilledSequence:
    """Write what a path fills the masks of a text with.

    Args:
        text: with its masks; its text may be longer than what its tokens are of.
        path: one of all masks.
        beam: where the path was found.
        codec: the one that the text was encoded with.
    """
    masks = {
        step.mask: JointMask(
            token=step.token,
            token_str=codec.token_str(step.token),
            marginal=math.exp(beam.marginals[step.mask, step.token]),
            conditional=math.exp(step.log_prob),
            order=order,
        )
        for order, step in enumerate(path.steps)
    }
    spans = tuple(
        _write_span(run, tuple(masks[mask] for mask in run.masks), codec) for run in find_runs(text)
    )
    filled = _splice(text.text, spans, codec)
    return FilledSequence(filled, path.log_prob, path.mean_log_prob, spans)


def _write_span(run: MaskRun, masks: tuple[JointMask, ...], codec: TextCodec) -> FilledSpan:
    # WordPiece puts spaces between all words, and CJK characters are words to it.
    words = codec.write([mask.token for mask in masks])
    return FilledSpan(run.start, run.end, _between_cjk.sub("", words), masks)


def _splice(text: str, spans: Sequence[FilledSpan], codec: TextCodec) -> str:
    """Fill the caller's own text; a run that begins within a word joins the one before."""
    spelling = codec.spelling
    filled, at = "", 0
    for span in spans:
        filled += text[at : span.start]
        begins_word = spelling.begins_word(codec.entry(span.masks[0].token))
        filled = spelling.join(filled, begins_word=begins_word) + spelling.strip_text(span.text)
        at = span.end
    return filled + text[at:]

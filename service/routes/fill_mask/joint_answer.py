"""What `POST /fill-mask` answers where masks are filled together."""

from typing import Any

from pydantic import BaseModel, Field

from model_store.tasks.joint.filled_sequence import FilledSequence, FilledSpan
from model_store.tasks.joint.request import JointText
from service.routes.fill_mask.seen import Seen, write_seen


class JointMask(BaseModel):
    """What fills one mask."""

    token: int = Field(description="Its id in the vocabulary.")
    token_str: str = Field(description="The vocabulary entry; `##` marks the rest of a word.")
    marginal: float = Field(
        description="Its probability with every mask still there: that of `independent` decoding."
    )
    conditional: float = Field(
        description="Its probability given the masks that were filled before it."
    )
    order: int = Field(description="How many masks were filled before it.")


class JointSpan(BaseModel):
    """Masks side by side, and what is in their place."""

    start: int = Field(description="Where they start in the input, in characters.")
    end: int = Field(description="Where they end in the input, in characters.")
    text: str = Field(description="What stands there in `sequence`; `##` where it joins a word.")
    masks: list[JointMask] = Field(description="What fills each of them.")


class JointSequence(BaseModel):
    """All masks of an input, filled."""

    sequence: str = Field(description="The input with all masks filled.")
    log_prob: float = Field(
        description="The natural logarithm of the probability of all that was filled together."
    )
    mean_log_prob: float = Field(description="That a mask; lengths are compared by this.")
    spans: list[JointSpan] = Field(description="The runs of masks, in order.")


class JointInput(BaseModel):
    """The answer for one input whose masks were filled together."""

    sequences: list[JointSequence] = Field(description="The fillings, the likeliest first.")
    independent: JointSequence = Field(
        description="The likeliest entry of each mask by itself, weighed as `sequences` are."
    )
    tokens: int = Field(description="The length of the input in tokens, special ones included.")
    truncated: bool | None = Field(
        None, description="Whether the model saw less than all of it; with `overflow` `window`."
    )
    seen: Seen | None = Field(
        None, description="What it saw for the first sequence; with `overflow` `window`."
    )


def write_joint(text: JointText, *, is_window: bool) -> dict[str, Any]:
    """Return the answer for one input, with what was seen of it where windows are allowed."""
    answer = {
        "sequences": [_write_sequence(sequence) for sequence in text.sequences],
        "independent": _write_sequence(text.independent),
        "tokens": text.tokens,
    }
    if not is_window:
        return answer
    return answer | {"truncated": text.is_truncated, "seen": write_seen(text.seen)}


def _write_sequence(sequence: FilledSequence) -> dict[str, Any]:
    return {
        "sequence": sequence.text,
        "log_prob": sequence.log_prob,
        "mean_log_prob": sequence.mean_log_prob,
        "spans": [_write_span(span) for span in sequence.spans],
    }


def _write_span(span: FilledSpan) -> dict[str, Any]:
    return {
        "start": span.start,
        "end": span.end,
        "text": span.text,
        "masks": [
            {
                "token": mask.token,
                "token_str": mask.token_str,
                "marginal": mask.marginal,
                "conditional": mask.conditional,
                "order": mask.order,
            }
            for mask in span.masks
        ],
    }

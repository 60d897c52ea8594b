"""How much one request may ask for."""

from collections.abc import Iterable, Sized
from dataclasses import dataclass, field

from model_store.errors import RequestLimitError
from model_store.text.encoding import TextLimits


@dataclass(frozen=True, slots=True)
class TaskLimits:
    """The most that one request may hold, ask for, or become.

    Attributes:
        max_inputs: texts.
        max_top_k: predictions for one mask.
        max_targets: targets for one text.
        max_predictions: predictions in one answer, over all texts and masks.
        max_answer_characters: characters of text in one answer, each of whose predictions comes
            with the whole text.
        max_beam_width: fillings of one text that are followed at a time.
        max_rows: rows for the engine, over all rounds.
        max_sparse_values: values of all sparse vectors in one answer.
        max_listed_tokens: tokens in one answer that lists them.
        text: the limits of each text.
    """

    max_inputs: int = 256
    max_top_k: int = 100
    max_targets: int = 1000
    max_predictions: int = 10_000
    max_answer_characters: int = 33_554_432
    max_beam_width: int = 32
    max_rows: int = 1024
    max_sparse_values: int = 100_000
    max_listed_tokens: int = 100_000
    text: TextLimits = field(default_factory=TextLimits)


def require(what: str, count: int, limit: int) -> None:
    """Refuse what is above a limit.

    Args:
        what: there is so much of, in the plural.
        count: how much there is.
        limit: how much there may be.

    Raises:
        RequestLimitError: it is above.
    """
    if count > limit:
        raise RequestLimitError(what, count, limit)


def require_answer(texts: Iterable[tuple[Sized, int]], limits: TaskLimits) -> None:
    """Refuse a request whose answer would be too large.

    Args:
        texts: each text, or both of a pair, and how many predictions come with it.
        limits: what there may be.

    Raises:
        RequestLimitError: there are too many predictions, or too much text with them.
    """
    answered = [*texts]
    require("predictions", sum(count for _, count in answered), limits.max_predictions)
    characters = sum(len(text) * count for text, count in answered)
    require("characters of filled text", characters, limits.max_answer_characters)

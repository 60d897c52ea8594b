"""The answer for one text: candidates for every mask, and the text with them filled in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model_store.text.encoding import Encoding
from model_store.text.splicing import splice_entry

if TYPE_CHECKING:
    from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer


@dataclass(frozen=True, slots=True)
class SparseVector:
    """What is above zero of a vector over the vocabulary.

    Attributes:
        token_ids: `[entries]` int32, ascending.
        values: `[entries]` float32.
    """

    token_ids: NDArray[np.int32]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MaskScores:
    """The candidates for one mask as arrays, the likeliest first.

    What a question asks for beside them, see `questions`, is None where it was not asked.

    Attributes:
        token_ids: `[k]` int32.
        log_probabilities: `[k]` float32, natural logarithms, over the whole vocabulary.
        ranks: `[k]` int32, one more than the entries that are likelier.
        threshold_ranks: `[thresholds]` int32, those that given log-probabilities would have.
        entropy: of the whole vocabulary, in nats.
        removed: the probability of all that a filter left out.
        vector: that of all positions together.
    """

    token_ids: NDArray[np.int32]
    log_probabilities: NDArray[np.float32]
    ranks: NDArray[np.int32] | None = None
    threshold_ranks: NDArray[np.int32] | None = None
    entropy: float | None = None
    removed: float | None = None
    vector: SparseVector | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """One candidate for one mask; `score` is its probability over the whole vocabulary."""

    score: float
    token: int
    token_str: str


class FilledText:
    """A text, its masks, and the candidates for each.

    Attributes:
        encoding: the text.
        scores: what came back for each mask.
        predictions: the candidates of each mask, named.
    """

    def __init__(
        self, encoding: Encoding, scores: Sequence[MaskScores], tokenizer: "SubwordTokenizer"
    ) -> None:
        """Name the candidates of every mask."""
        self.encoding = encoding
        self.scores = scores
        self._tokenizer = tokenizer
        self.predictions = tuple(self._name(mask) for mask in scores)

    def spliced_sequence(self, mask: int, prediction: Prediction) -> str:
        """Return the caller's own text with one mask filled, as a person would write it.

        A piece that goes on with a word joins the one before.
        """
        entry = self._tokenizer.entry(prediction.token)
        return splice_entry(self.encoding, mask, entry, self._tokenizer.spelling)

    def decoded_sequence(self, mask: int, prediction: Prediction) -> str:
        """Return the text as Transformers' pipeline decodes it.

        Special tokens are left out of a text with one mask, and kept in one with several, where
        leaving them out would drop the other masks.
        """
        token_ids = self.encoding.token_ids.copy()
        token_ids[self.encoding.mask_positions[mask]] = prediction.token
        token_ids = token_ids[token_ids != self._tokenizer.pad_token_id]
        return self._tokenizer.decode(
            token_ids.tolist(), skip_special_tokens=len(self.predictions) == 1
        )

    def decoded_token(self, prediction: Prediction) -> str:
        """Return a candidate alone, as Transformers' pipeline decodes it."""
        return self._tokenizer.decode([prediction.token], skip_special_tokens=False)

    def decoded_likeliest(self) -> str:
        """Return the likeliest candidates of all masks in a row, as KServe's runtime decodes it."""
        token_ids = [predictions[0].token for predictions in self.predictions]
        return self._tokenizer.decode(token_ids, skip_special_tokens=False)

    def _name(self, scores: MaskScores) -> tuple[Prediction, ...]:
        probabilities = np.exp(scores.log_probabilities, dtype=np.float64)
        return tuple(
            Prediction(score, token, self._tokenizer.token_str(token))
            for score, token in zip(probabilities.tolist(), scores.token_ids.tolist(), strict=True)
        )

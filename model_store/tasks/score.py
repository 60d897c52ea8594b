"""How likely texts are: their pseudo-log-likelihood, the sum of what each token is worth.

A masked LM gives a token its probability with both sides in sight. Each token is masked in a row of
its own and scored there:

- `pll` masks just that token (Salazar et al. 2020, https://arxiv.org/abs/1910.14659).
- `pll_word_l2r` masks the later pieces of its word as well (Kauf and Ivanova 2023,
  https://arxiv.org/abs/2305.10588): where the rest of a word is in sight, its first piece is no
  guess any more, and a rare word of many pieces looks likelier than a common one.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from model_store.errors import EmptyTextError, InputError, UnexpectedMaskError
from model_store.tasks.limits import TaskLimits, require
from model_store.tasks.task import Task
from model_store.text.encoding import Encoding
from model_store.text.sentence import Sentence
from model_store.text.text_codec import TextCodec

Method = Literal["pll", "pll_word_l2r"]

GAP = "{}"
"""Where a template takes its candidates."""

_LARGEST_EXPONENT = 709.0
"""What `exp` makes a number of; no text is that unlikely, but broken weights can say so."""


@dataclass(frozen=True, slots=True)
class ScoredToken:
    """A token of a text.

    Attributes:
        token: its id.
        token_str: its entry in the vocabulary.
        start: where it starts in the text, in characters.
        end: where it ends.
        log_prob: the natural logarithm of its probability over the whole vocabulary.
    """

    token: int
    token_str: str
    start: int
    end: int
    log_prob: float


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A text and what its tokens are worth; at least one."""

    text: str
    tokens: tuple[ScoredToken, ...]

    @property
    def total(self) -> float:
        """The pseudo-log-likelihood, in nats."""
        return math.fsum(token.log_prob for token in self.tokens)

    @property
    def mean(self) -> float:
        """The same for each token."""
        return self.total / len(self.tokens)

    @property
    def pseudo_perplexity(self) -> float:
        """How many entries the model wavers between at a token: `exp(-mean)`."""
        return math.exp(min(-self.mean, _LARGEST_EXPONENT))


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """Texts to score.

    Attributes:
        inputs: whole texts, or what a template takes, each in turn.
        template: a text with one `{}`; by default, nothing but that.
        method: which tokens are masked beside the one that is scored.
    """

    inputs: Sequence[str]
    template: str = GAP
    method: Method = "pll_word_l2r"

    name = "score"

    @property
    def characters(self) -> int:
        """How much text there is to tokenize; no template is filled for that."""
        around = len(self.template) - len(GAP)
        return around * len(self.inputs) + sum(map(len, self.inputs))

    def check(self, limits: TaskLimits) -> None:
        """Refuse what no model could answer.

        Raises:
            RequestLimitError: too many inputs, or too many to have a row each.
        """
        require("inputs", len(self.inputs), limits.max_inputs)
        require("rows", len(self.inputs), limits.max_rows)

    def start(self, codec: TextCodec, limits: TaskLimits) -> Task[list[ScoredText]]:
        """Return the task: one round, one row a token.

        Raises:
            InputError: a text cannot be used, or there are too many tokens.
        """
        texts = list(self._read(codec, limits))
        results = yield [
            row for text in texts for row in _mask(text, codec.mask_token_id, self.method)
        ]
        log_probs = iter([float(mask.log_probabilities[0]) for [mask] in results])
        return [_score(text, codec, log_probs) for text in texts]

    def _read(self, codec: TextCodec, limits: TaskLimits) -> Iterator[Sentence]:
        """Tokenize one text after the other, for as long as there is room for their rows."""
        rows = 0
        for index, filler in enumerate(self.inputs):
            try:
                text = codec.read(self.template.replace(GAP, filler, 1), limits.text)
                _require_sentence(text, codec)
            except InputError as error:
                error.input = index
                raise
            rows += int((~text.is_special).sum())
            require("rows", rows, limits.max_rows)
            yield text


def rank(texts: Sequence[ScoredText]) -> list[int]:
    """Return the rank of each text by its total: 1, and one more for each that is likelier."""
    totals = np.array([text.total for text in texts])
    ranks: list[int] = (1 + (totals > totals[:, None]).sum(axis=1)).tolist()
    return ranks


def _require_sentence(text: Sentence, codec: TextCodec) -> None:
    """Refuse a text with a mask in it, or with nothing to score."""
    if codec.mask_token_id in text.token_ids:
        raise UnexpectedMaskError(codec.mask_token)
    if text.is_special.all():
        raise EmptyTextError


def _mask(text: Sentence, mask_token_id: int, method: Method) -> Iterator[Encoding]:
    """Yield a row for each token that is scored."""
    for position in np.flatnonzero(~text.is_special):
        token_ids = text.token_ids.copy()
        if method == "pll_word_l2r":
            is_same_word = text.words == text.words[position]
            is_same_word[:position] = False
            token_ids[is_same_word] = mask_token_id
        token_ids[position] = mask_token_id
        yield Encoding(
            text=text.text,
            token_ids=token_ids,
            mask_positions=np.array([position]),
            mask_spans=(text.spans[position],),
            target_ids=text.token_ids[[position]],
            top_k=1,
        )


def _score(text: Sentence, codec: TextCodec, log_probs: Iterator[float]) -> ScoredText:
    """Give the tokens of a text the next log-probabilities."""
    positions = np.flatnonzero(~text.is_special).tolist()
    token_ids = text.token_ids.tolist()
    return ScoredText(
        text.text,
        tuple(
            ScoredToken(
                token_ids[position],
                codec.token_str(token_ids[position]),
                *text.spans[position],
                log_prob,
            )
            for position, log_prob in zip(positions, log_probs, strict=False)
        ),
    )

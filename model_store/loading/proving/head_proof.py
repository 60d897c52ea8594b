"""Proof that a loaded head fills masks: weights may be complete and still be no model.

Tokens of a short text are masked one at a time. A trained model gives them far more probability
than a uniform head would, and far more than the same head with its vocabulary shuffled. A random
one gives them less than either.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from model_store.encoder.tokenizers.spelling import LetterSpelling
from model_store.engines.fill_mask import FillMaskModel
from model_store.text.encoding import Encoding
from model_store.text.text_codec import TextCodec

MARGIN = 1.0
"""How far above both rivals the mean log-probability must lie, in nats."""

_MOST_TOKENS = 48
_MOST_MASKS = 24
_BATCH_SIZE = 8
_SHUFFLES = 15
_MOST_UNKNOWN = 0.1
_PROTEIN = "protein_"


@dataclass(frozen=True, slots=True)
class HeadProof:
    """What a probe found; mean log-probabilities of held-back tokens, in nats.

    Attributes:
        text: the name of the text, the one that the model knew best.
        log_probability: what the model gave the tokens.
        uniform: what every entry of its vocabulary would get alike.
        shuffled: what the model gave as many random entries.
    """

    text: str
    log_probability: float
    uniform: float
    shuffled: float

    @property
    def is_verified(self) -> bool:
        """Whether the head is proven."""
        return self.log_probability > max(self.uniform, self.shuffled) + MARGIN


@cache
def read_probe_texts() -> Mapping[str, str]:
    """Return the texts of `probe_texts.toml` by the name of their language."""
    path = files("model_store.loading.proving") / "probe_texts.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def prove_head(model: FillMaskModel, texts: Mapping[str, str]) -> HeadProof | None:
    """Probe a model on texts until it proves itself on one.

    Returns:
        The proof, or the best attempt at one; None where the model can read none of the texts.
    """
    best = None
    for name, text in list_for(model, texts).items():
        proof = _probe(model, name, text)
        if proof and (best is None or proof.log_probability > best.log_probability):
            best = proof
        if best and best.is_verified:
            break
    return best


def list_for(codec: TextCodec, texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that are for a model: proteins, where its vocabulary is of letters alone.

    Others could spell them too, and know nothing of them.
    """
    has_letters = isinstance(codec.spelling, LetterSpelling)
    return {
        name: text for name, text in texts.items() if has_letters or not name.startswith(_PROTEIN)
    }


def can_read(codec: TextCodec, token_ids: NDArray[np.int32], own: range) -> bool:
    """Say whether a text is in a model's language: its vocabulary has nearly all of it.

    Args:
        codec: the model's.
        token_ids: those of the text, special tokens included.
        own: which of them are the text's own.
    """
    if not own:
        return False
    return bool(np.mean(np.isin(token_ids, codec.unreadable_ids)) <= _MOST_UNKNOWN)


def _probe(model: FillMaskModel, name: str, text: str) -> HeadProof | None:
    whole, own = model.tokenize_apart(text)
    token_ids = whole[: min(_MOST_TOKENS, model.facts.max_sequence_length)]
    own = range(own.start, min(own.stop, len(token_ids) - 1))
    if not can_read(model, token_ids, own):
        return None
    positions = np.linspace(own[0], own[-1], min(_MOST_MASKS, len(own)), dtype=int)
    rng = np.random.default_rng(0)
    encodings = [_hold_back(model, token_ids, int(position), rng) for position in positions]
    held_back, others = [], []
    for start in range(0, len(encodings), _BATCH_SIZE):
        batch = encodings[start : start + _BATCH_SIZE]
        for encoding, (scores,) in zip(batch, model.predict(batch), strict=True):
            is_held_back = scores.token_ids == token_ids[encoding.mask_positions[0]]
            held_back.extend(scores.log_probabilities[is_held_back].tolist())
            others.extend(scores.log_probabilities[~is_held_back].tolist())
    return HeadProof(
        text=name,
        log_probability=float(np.mean(held_back)),
        uniform=-math.log(model.facts.vocabulary_size),
        shuffled=float(np.mean(others)),
    )


def _hold_back(
    model: FillMaskModel, token_ids: NDArray[np.int32], position: int, rng: np.random.Generator
) -> Encoding:
    """Mask one token, and ask for it and for what a shuffled vocabulary would put in its place."""
    masked = token_ids.copy()
    masked[position] = model.mask_token_id
    others = rng.integers(model.facts.vocabulary_size, size=_SHUFFLES, dtype=np.int32)
    target_ids = np.unique(np.append(others, token_ids[position]))
    return Encoding(
        text="",
        token_ids=masked,
        mask_positions=np.array([position]),
        mask_spans=((0, 0),),
        target_ids=target_ids,
        top_k=len(target_ids),
    )

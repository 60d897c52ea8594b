"""Texts in, masked batches out: what a masked LM trains on."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from model_store.bert.tokenizer import BertTokenizer
from model_store.masked_lm.segment_packer import TRUNCATIONS, pack_segments
from model_store.masked_lm.token_masking import TokenMasker

Example: TypeAlias = tuple[dict[str, Any], Any, Any]
"""Features, labels and sample weights, as `keras.Model.fit` takes them."""

_MOST_SEGMENTS = 2


class BertMaskedLMPreprocessor:
    """Tokenizes, packs and masks texts, with KerasHub's names and shapes, on NumPy alone.

    Masks are drawn anew at every call. Unlike KerasHub's, `[UNK]` is never selected: a model
    that learns to answer it is of no use.
    """

    def __init__(  # noqa: PLR0917  # KerasHub's signature
        self,
        tokenizer: BertTokenizer,
        sequence_length: int = 512,
        truncate: str = "round_robin",
        mask_selection_rate: float = 0.15,
        mask_selection_length: int = 96,
        mask_token_rate: float = 0.8,
        random_token_rate: float = 0.1,
        seed: int | None = None,
    ) -> None:
        """Prepare for a tokenizer.

        Args:
            tokenizer: that of the model.
            sequence_length: the length of every row.
            truncate: `round_robin` or `waterfall`: which segment is cut where two do not fit.
            mask_selection_rate: how likely a token is selected.
            mask_selection_length: the most masks a row, and the width of their arrays.
            mask_token_rate: how many of the selected tokens become `[MASK]`.
            random_token_rate: how many become a random token; the rest stay as they are.
            seed: makes the masks the same in every run; None makes them differ.

        Raises:
            ValueError: an argument is out of its range, or the vocabulary lacks a special token.
        """
        if truncate not in TRUNCATIONS:
            message = f"truncate is {truncate!r}; give one of {', '.join(TRUNCATIONS)}."
            raise ValueError(message)
        if sequence_length <= _MOST_SEGMENTS + 1:
            message = f"sequence_length is {sequence_length}; give 4 or more."
            raise ValueError(message)
        self.tokenizer = tokenizer
        self.sequence_length = sequence_length
        self.truncate = truncate
        self.masker = TokenMasker(
            vocabulary_size=tokenizer.vocabulary_size,
            mask_token_id=tokenizer.mask_token_id,
            unselectable_token_ids=tokenizer.special_token_ids,
            mask_selection_rate=mask_selection_rate,
            mask_selection_length=mask_selection_length,
            mask_token_rate=mask_token_rate,
            random_token_rate=random_token_rate,
        )
        self.rng = np.random.default_rng(seed)

    def __call__(self, x: Any, y: Any = None, sample_weight: Any = None) -> Example:
        """Mask one text or several.

        Args:
            x: a string, a list or array of them, or a tuple of two such: first and second
                segments.
            y: None: labels are made here.
            sample_weight: None, likewise.

        Returns:
            Features (`token_ids` int32, `padding_mask` bool and `segment_ids` int32, each
            `[rows, sequence_length]`; `mask_positions` `[rows, mask_selection_length]` int32),
            labels (`mask_ids`) and sample weights (`mask_weights`, float32), both of the shape of
            `mask_positions`. One text gives arrays without `rows`.

        Raises:
            ValueError: labels or weights are given, or the segments cannot be paired.
        """
        if y is not None or sample_weight is not None:
            message = "Labels and weights are made from the texts; leave y and sample_weight out."
            raise ValueError(message)
        is_single = _is_text(x[0] if isinstance(x, tuple) and x else x)
        features, labels, weights = self._mask(read_segments(x))
        if not is_single:
            return features, labels, weights
        return {name: array[0] for name, array in features.items()}, labels[0], weights[0]

    def _mask(self, segments: tuple[list[str], ...]) -> Example:
        tokenized = [self.tokenizer.encode_batch(texts) for texts in segments]
        token_ids, segment_ids = pack_segments(
            list(zip(*tokenized, strict=True)),
            self.sequence_length,
            truncate=self.truncate,
            cls_token_id=self.tokenizer.cls_token_id,
            sep_token_id=self.tokenizer.sep_token_id,
            pad_token_id=self.tokenizer.pad_token_id,
        )
        masked = self.masker.mask(token_ids, self.rng)
        features = {
            "token_ids": masked.token_ids,
            "padding_mask": token_ids != self.tokenizer.pad_token_id,
            "segment_ids": segment_ids,
            "mask_positions": masked.mask_positions,
        }
        return features, masked.mask_ids, masked.mask_weights


def read_segments(x: Any) -> tuple[list[str], ...]:
    """Return the texts of each segment: one list, or two of one length.

    Raises:
        ValueError: there are more than two segments, or not as many second ones as first ones.
    """
    segments = tuple(_read_texts(part) for part in (x if isinstance(x, tuple) else (x,)))
    if not 1 <= len(segments) <= _MOST_SEGMENTS:
        message = f"{len(segments)} segments were given; give one or two."
        raise ValueError(message)
    if len({len(texts) for texts in segments}) > 1:
        message = "The segments differ in number; give as many second ones as first ones."
        raise ValueError(message)
    return segments


def _is_text(value: Any) -> bool:
    return isinstance(value, str | bytes) or np.ndim(value) == 0


def _read_texts(value: Any) -> list[str]:
    if _is_text(value):
        value = [value if isinstance(value, str | bytes) else np.asarray(value).item()]
    return [_read_text(text) for text in _list(value)]


def _list(value: Iterable[Any]) -> Sequence[Any]:
    return value if isinstance(value, list) else list(np.asarray(value).tolist())


def _read_text(value: Any) -> str:
    text = value.decode("utf-8") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        message = f"{type(value).__name__} was given for a text; give strings."
        raise ValueError(message)  # noqa: TRY004  # one kind of error for every wrong input
    return text

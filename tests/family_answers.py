"""What small models of every family answer, held against what Transformers' pipeline does."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from golden.answer_cases import CASES, GOLDEN, PREDICTIONS, AnswerCase, digest
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.engines.fill_mask import FillMaskModel
from model_store.text.encoding import Encoding, TextLimits
from model_store.text.filled_text import FilledText

NAMES = [case.model for case in CASES]
_LIMITS = TextLimits()


def write_answer_case(name: str, directory: Path) -> Path:
    """Write a model with its tokenizer, and return where it is."""
    return _find_case(name).write(directory, _read_golden()[name])


def find_differences(name: str, model: FillMaskModel, special: SpecialTokens) -> list[str]:
    """Return every text that is answered otherwise than by Transformers, and how."""
    case = _find_case(name)
    texts = case.list_texts(asdict(special))
    expected = _read_golden()[name]["texts"]
    return [
        f"{text!r}: {difference}"
        for text, filled, golden in zip(texts, _fill(model, texts), expected, strict=True)
        for difference in _compare(case, filled, golden)
    ]


@cache
def _read_golden() -> dict[str, Any]:
    return dict(json.loads(GOLDEN.read_text("utf-8")))


def _find_case(name: str) -> AnswerCase:
    return next(case for case in CASES if case.model == name)


def _fill(model: FillMaskModel, texts: Sequence[str]) -> Iterator[FilledText]:
    """Answer texts as Hugging Face's route does, all in one batch: each shape is compiled once."""
    encodings = [_encode(model, text) for text in texts]
    for encoding, scores in zip(encodings, model.predict(encodings), strict=True):
        yield model.decode(encoding, scores)


def _encode(model: FillMaskModel, text: str) -> Encoding:
    return model.encode(text, top_k=PREDICTIONS, targets=None, limits=_LIMITS, own_mask=True)


def _compare(case: AnswerCase, filled: FilledText, golden: Sequence[Any]) -> Iterator[str]:
    """Yield what is not as in Transformers, the scores in natural logarithms."""
    kept, *masks = golden
    tokens = [scores.token_ids.tolist() for scores in filled.scores]
    if tokens != [[token for token, _ in mask] for mask in masks]:
        yield f"tokens {tokens} and not {masks}"
        return
    for scores, mask in zip(filled.scores, masks, strict=True):
        if not np.allclose(scores.log_probabilities, [s for _, s in mask], rtol=0, atol=1e-4):
            yield f"scores {scores.log_probabilities.tolist()} and not {mask}"
    encoding = filled.encoding
    spans = [list(span) for span in encoding.mask_spans] if case.has_spans else None
    written = [
        [[filled.decoded_token(p), filled.decoded_sequence(mask, p)] for p in predictions]
        for mask, predictions in enumerate(filled.predictions)
    ]
    if digest([encoding.token_ids.tolist(), spans], written) != kept:
        yield f"ids {encoding.token_ids.tolist()}, spans {spans} or what is written: {written}"

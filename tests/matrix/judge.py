"""What fillmask makes of a case, held against what Transformers answers."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

from matrix.cases import TEXTS, find_twin
from matrix.row import Case
from matrix.usual import write_case
from model_store.checkpoints import Checkpoint, read_checkpoint
from model_store.encoder.config import EncoderConfig
from model_store.engines.fill_mask import FillMaskModel, ModelFacts
from model_store.engines.tensorflow import TensorFlowEngine
from model_store.errors import ModelStoreError
from model_store.masked_lm.families import MaskedLM
from model_store.text.encoding import TextLimits

GOLDEN = Path(__file__).parents[1] / "golden" / "checkpoints.json"
TOLERANCE = 1e-4
TOP_K = 3

EQUAL = "equal"
REFUSED = "refused"
SILENTLY_DIFFERENT = "silently different"


@dataclass(frozen=True)
class Verdict:
    """How a case came out.

    Attributes:
        outcome: one of the three.
        why: the sentence of the refusal, or the first difference.
    """

    outcome: str
    why: str = ""


class _EagerEngine(TensorFlowEngine):
    """TensorFlow without its graphs: these take longer to compile than small models to run."""

    def compile(self, function: Any, *, static: str | None = None) -> Any:
        del static
        return function


@cache
def read_golden() -> dict[str, Any]:
    """Return what Transformers answers."""
    return dict(json.loads(GOLDEN.read_text("utf-8")))


def find_answers(case: Case) -> list[Any] | None:
    """Return Transformers' answers to a case, or to its twin where it has none."""
    golden = read_golden()
    entry = golden["cases"][case.name]
    twin = find_twin(case)
    if "answers" not in entry and twin:
        entry = golden["cases"][twin.name]
    key = entry.get("answers")
    return None if key is None else list(golden["answers"][key])


def judge(case: Case, directory: Path) -> Verdict:
    """Write a case, read it as a server does, and compare its answers."""
    try:
        checkpoint = read_checkpoint(write_case(case, directory))
    except ModelStoreError as error:
        return Verdict(REFUSED, str(error))
    return compare(case, make_model(checkpoint))


def make_model(checkpoint: Checkpoint) -> FillMaskModel:
    """Return the model of a checkpoint on TensorFlow, built once for each shape."""
    model, engine = _build(checkpoint.config)
    for weight in model.weights:
        weight.assign(checkpoint.variables[weight.path])
    facts = ModelFacts(
        checkpoint.config.vocabulary_size, checkpoint.config.max_sequence_length, 0, 0, "float32"
    )
    digest = hashlib.sha256()
    for path, array in sorted(checkpoint.variables.items()):
        digest.update(f"{path} {array.dtype} {array.shape}".encode() + array.tobytes())
    return _RememberingModel(
        engine, checkpoint.tokenizer, facts, (checkpoint.config, digest.digest())
    )


class _RememberingModel(FillMaskModel):
    """Runs each sequence once: most cases have the weights of the usual checkpoint."""

    known: ClassVar[dict[Any, Any]] = {}

    def __init__(self, engine: Any, tokenizer: Any, facts: ModelFacts, weights: Any) -> None:
        super().__init__(engine, tokenizer, facts)
        self._weights = weights

    def predict(self, encodings: Any, batch: Any = None) -> Any:
        key = (self._weights, *(encoding.token_ids.tobytes() for encoding in encodings))
        if key not in self.known:
            self.known[key] = super().predict(encodings, batch)
        return self.known[key]


@cache
def _build(config: EncoderConfig) -> tuple[MaskedLM, Any]:
    model = MaskedLM.from_encoder_config(config, dtype="float32")
    return model, _EagerEngine(model)


def compare(case: Case, model: FillMaskModel) -> Verdict:
    """Hold a model's answers against Transformers'."""
    return compare_texts(model, TEXTS, find_answers(case))


def compare_texts(
    model: FillMaskModel, texts: Sequence[str], expected: list[Any] | None
) -> Verdict:
    """Hold a model's answers to texts against Transformers', of which there may be none."""
    if expected is None:
        return Verdict(SILENTLY_DIFFERENT, "answers where Transformers has no answer")
    for text, golden in zip(texts, expected, strict=True):
        difference = _find_difference(model, text.format(mask=model.mask_token), golden)
        if difference:
            return Verdict(SILENTLY_DIFFERENT, difference)
    return Verdict(EQUAL)


def _find_difference(model: FillMaskModel, text: str, golden: list[Any]) -> str:
    ids, masks, sequence = golden
    encoding = model.encode(text, top_k=TOP_K, targets=None, limits=TextLimits())
    if encoding.token_ids.tolist() != ids:
        return f"ids {encoding.token_ids.tolist()} and not {ids}"
    spans = [text[start:end] for start, end in encoding.mask_spans]
    # Transformers counts white space to a mask that takes it; filling the mask must not. Of letters
    # it knows no spans.
    if masks[0][0] is not None and spans != [text[start:end].strip() for start, end, *_ in masks]:
        return f"spans {encoding.mask_spans} and not {[mask[:2] for mask in masks]}"
    answers = model.predict([encoding])[0]
    for scores, (*_, best) in zip(answers, masks, strict=True):
        tokens, probabilities = zip(*best, strict=True)
        if scores.token_ids.tolist() != list(tokens):
            return f"tokens {scores.token_ids.tolist()} and not {list(tokens)}"
        found = np.exp(scores.log_probabilities.astype(np.float64))
        if np.abs(found - probabilities).max() > TOLERANCE:
            return f"scores {found.tolist()} and not {list(probabilities)}"
    filled = model.decode(encoding, answers)
    decoded = filled.decoded_sequence(0, filled.predictions[0][0])
    return "" if decoded == sequence else f"{decoded!r} and not {sequence!r}"


def clear() -> None:
    """Let go of the models."""
    _build.cache_clear()
    keras.backend.clear_session()

"""fillmask from Python: presets that answer, and BERT for Keras users with KerasHub's names.

    import fillmask

    model = fillmask.load("minilm_l6_en_uncased")
    model.fill_mask(["The capital of France is [MASK]."])

    masked_lm = fillmask.BertMaskedLM.from_preset("minilm_l6_en_uncased")
    masked_lm.fit(["The quick brown fox jumped."])
    masked_lm.save_to_preset("my_model")

A name is imported when it is used: Keras and its backend take seconds, and what answers does
without them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fillmask.answers import FilledText, Mask, Piece, Prediction, TargetPrediction
    from fillmask.loaded_model import LoadedModel
    from fillmask.loading import load
    from model_store.errors import InputError, ModelStoreError
    from model_store.masked_lm.backbone import BertBackbone
    from model_store.masked_lm.masked_lm import BertMaskedLM
    from model_store.masked_lm.preprocessor import BertMaskedLMPreprocessor
    from model_store.masked_lm.tokenizer import BertTokenizer
    from model_store.tasks.candidate_filter import CandidateFilter
    from model_store.tasks.embed_sparse import EmbeddedText
    from model_store.tasks.joint.request import JointText
    from model_store.tasks.score import ScoredText, ScoredToken
    from model_store.text.text_pair import TextPair
    from model_store.text.tokenized_text import Token

__all__ = [
    "BertBackbone",
    "BertMaskedLM",
    "BertMaskedLMPreprocessor",
    "BertTokenizer",
    "CandidateFilter",
    "EmbeddedText",
    "FilledText",
    "InputError",
    "JointText",
    "LoadedModel",
    "Mask",
    "ModelStoreError",
    "Piece",
    "Prediction",
    "ScoredText",
    "ScoredToken",
    "TargetPrediction",
    "TextPair",
    "Token",
    "load",
]

_MODULES = {
    "BertBackbone": "model_store.masked_lm.backbone",
    "BertMaskedLM": "model_store.masked_lm.masked_lm",
    "BertMaskedLMPreprocessor": "model_store.masked_lm.preprocessor",
    "BertTokenizer": "model_store.masked_lm.tokenizer",
    "CandidateFilter": "model_store.tasks.candidate_filter",
    "EmbeddedText": "model_store.tasks.embed_sparse",
    "FilledText": "fillmask.answers",
    "InputError": "model_store.errors",
    "JointText": "model_store.tasks.joint.request",
    "LoadedModel": "fillmask.loaded_model",
    "Mask": "fillmask.answers",
    "ModelStoreError": "model_store.errors",
    "Piece": "fillmask.answers",
    "Prediction": "fillmask.answers",
    "ScoredText": "model_store.tasks.score",
    "ScoredToken": "model_store.tasks.score",
    "TargetPrediction": "fillmask.answers",
    "TextPair": "model_store.text.text_pair",
    "Token": "model_store.text.tokenized_text",
    "load": "fillmask.loading",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is asked for."""
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """List what there is to import."""
    return __all__

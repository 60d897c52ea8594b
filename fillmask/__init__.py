"""fillmask from Python: presets that answer, and masked LMs for Keras users, as KerasHub's.

    import fillmask

    model = fillmask.load("minilm_l6_en_uncased")
    model.fill_mask(["The capital of France is [MASK]."])

    masked_lm = fillmask.MaskedLM.from_preset("minilm_l6_en_uncased")
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
    from model_store.masked_lm.families import (
        Backbone,
        MaskedLM,
        MaskedLMPreprocessor,
        Tokenizer,
    )
    from model_store.masked_lm.families.albert import (
        AlbertBackbone,
        AlbertMaskedLM,
        AlbertMaskedLMPreprocessor,
        AlbertTokenizer,
    )
    from model_store.masked_lm.families.bert import (
        BertBackbone,
        BertMaskedLM,
        BertMaskedLMPreprocessor,
        BertTokenizer,
    )
    from model_store.masked_lm.families.distil_bert import (
        DistilBertBackbone,
        DistilBertMaskedLM,
        DistilBertMaskedLMPreprocessor,
        DistilBertTokenizer,
    )
    from model_store.masked_lm.families.electra import (
        ElectraBackbone,
        ElectraMaskedLM,
        ElectraMaskedLMPreprocessor,
        ElectraTokenizer,
    )
    from model_store.masked_lm.families.esm import (
        ESMBackbone,
        ESMMaskedPLM,
        ESMMaskedPLMPreprocessor,
        ESMTokenizer,
    )
    from model_store.masked_lm.families.modern_bert import (
        ModernBertBackbone,
        ModernBertMaskedLM,
        ModernBertMaskedLMPreprocessor,
        ModernBertTokenizer,
    )
    from model_store.masked_lm.families.roberta import (
        RobertaBackbone,
        RobertaMaskedLM,
        RobertaMaskedLMPreprocessor,
        RobertaTokenizer,
    )
    from model_store.masked_lm.families.xlm_roberta import (
        XLMRobertaBackbone,
        XLMRobertaMaskedLM,
        XLMRobertaMaskedLMPreprocessor,
        XLMRobertaTokenizer,
    )
    from model_store.tasks.candidate_filter import CandidateFilter
    from model_store.tasks.embed_sparse import EmbeddedText
    from model_store.tasks.joint.request import JointText
    from model_store.tasks.score import ScoredText, ScoredToken
    from model_store.text.text_pair import TextPair
    from model_store.text.tokenized_text import Token

__all__ = [
    "AlbertBackbone",
    "AlbertMaskedLM",
    "AlbertMaskedLMPreprocessor",
    "AlbertTokenizer",
    "Backbone",
    "BertBackbone",
    "BertMaskedLM",
    "BertMaskedLMPreprocessor",
    "BertTokenizer",
    "CandidateFilter",
    "DistilBertBackbone",
    "DistilBertMaskedLM",
    "DistilBertMaskedLMPreprocessor",
    "DistilBertTokenizer",
    "ESMBackbone",
    "ESMMaskedPLM",
    "ESMMaskedPLMPreprocessor",
    "ESMTokenizer",
    "ElectraBackbone",
    "ElectraMaskedLM",
    "ElectraMaskedLMPreprocessor",
    "ElectraTokenizer",
    "EmbeddedText",
    "FilledText",
    "InputError",
    "JointText",
    "LoadedModel",
    "Mask",
    "MaskedLM",
    "MaskedLMPreprocessor",
    "ModelStoreError",
    "ModernBertBackbone",
    "ModernBertMaskedLM",
    "ModernBertMaskedLMPreprocessor",
    "ModernBertTokenizer",
    "Piece",
    "Prediction",
    "RobertaBackbone",
    "RobertaMaskedLM",
    "RobertaMaskedLMPreprocessor",
    "RobertaTokenizer",
    "ScoredText",
    "ScoredToken",
    "TargetPrediction",
    "TextPair",
    "Token",
    "Tokenizer",
    "XLMRobertaBackbone",
    "XLMRobertaMaskedLM",
    "XLMRobertaMaskedLMPreprocessor",
    "XLMRobertaTokenizer",
    "load",
]

_MODULES = {
    "AlbertBackbone": "model_store.masked_lm.families.albert",
    "AlbertMaskedLM": "model_store.masked_lm.families.albert",
    "AlbertMaskedLMPreprocessor": "model_store.masked_lm.families.albert",
    "AlbertTokenizer": "model_store.masked_lm.families.albert",
    "Backbone": "model_store.masked_lm.families",
    "BertBackbone": "model_store.masked_lm.families.bert",
    "BertMaskedLM": "model_store.masked_lm.families.bert",
    "BertMaskedLMPreprocessor": "model_store.masked_lm.families.bert",
    "BertTokenizer": "model_store.masked_lm.families.bert",
    "CandidateFilter": "model_store.tasks.candidate_filter",
    "DistilBertBackbone": "model_store.masked_lm.families.distil_bert",
    "DistilBertMaskedLM": "model_store.masked_lm.families.distil_bert",
    "DistilBertMaskedLMPreprocessor": "model_store.masked_lm.families.distil_bert",
    "DistilBertTokenizer": "model_store.masked_lm.families.distil_bert",
    "ESMBackbone": "model_store.masked_lm.families.esm",
    "ESMMaskedPLM": "model_store.masked_lm.families.esm",
    "ESMMaskedPLMPreprocessor": "model_store.masked_lm.families.esm",
    "ESMTokenizer": "model_store.masked_lm.families.esm",
    "ElectraBackbone": "model_store.masked_lm.families.electra",
    "ElectraMaskedLM": "model_store.masked_lm.families.electra",
    "ElectraMaskedLMPreprocessor": "model_store.masked_lm.families.electra",
    "ElectraTokenizer": "model_store.masked_lm.families.electra",
    "EmbeddedText": "model_store.tasks.embed_sparse",
    "FilledText": "fillmask.answers",
    "InputError": "model_store.errors",
    "JointText": "model_store.tasks.joint.request",
    "LoadedModel": "fillmask.loaded_model",
    "Mask": "fillmask.answers",
    "MaskedLM": "model_store.masked_lm.families",
    "MaskedLMPreprocessor": "model_store.masked_lm.families",
    "ModelStoreError": "model_store.errors",
    "ModernBertBackbone": "model_store.masked_lm.families.modern_bert",
    "ModernBertMaskedLM": "model_store.masked_lm.families.modern_bert",
    "ModernBertMaskedLMPreprocessor": "model_store.masked_lm.families.modern_bert",
    "ModernBertTokenizer": "model_store.masked_lm.families.modern_bert",
    "Piece": "fillmask.answers",
    "Prediction": "fillmask.answers",
    "RobertaBackbone": "model_store.masked_lm.families.roberta",
    "RobertaMaskedLM": "model_store.masked_lm.families.roberta",
    "RobertaMaskedLMPreprocessor": "model_store.masked_lm.families.roberta",
    "RobertaTokenizer": "model_store.masked_lm.families.roberta",
    "ScoredText": "model_store.tasks.score",
    "ScoredToken": "model_store.tasks.score",
    "TargetPrediction": "fillmask.answers",
    "TextPair": "model_store.text.text_pair",
    "Token": "model_store.text.tokenized_text",
    "Tokenizer": "model_store.masked_lm.families",
    "XLMRobertaBackbone": "model_store.masked_lm.families.xlm_roberta",
    "XLMRobertaMaskedLM": "model_store.masked_lm.families.xlm_roberta",
    "XLMRobertaMaskedLMPreprocessor": "model_store.masked_lm.families.xlm_roberta",
    "XLMRobertaTokenizer": "model_store.masked_lm.families.xlm_roberta",
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

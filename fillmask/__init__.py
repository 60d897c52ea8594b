"""fillmask for Keras users: BERT for masked-language modelling, with KerasHub's names.

    import fillmask

    masked_lm = fillmask.BertMaskedLM.from_preset("minilm_l6_en_uncased")
    masked_lm.fit(["The quick brown fox jumped."])
    masked_lm.save_to_preset("my_model")

A name is imported when it is used: Keras and its backend take seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_store.masked_lm.backbone import BertBackbone
    from model_store.masked_lm.masked_lm import BertMaskedLM
    from model_store.masked_lm.preprocessor import BertMaskedLMPreprocessor
    from model_store.masked_lm.tokenizer import BertTokenizer

__all__ = ["BertBackbone", "BertMaskedLM", "BertMaskedLMPreprocessor", "BertTokenizer"]

_MODULES = {
    "BertBackbone": "backbone",
    "BertMaskedLM": "masked_lm",
    "BertMaskedLMPreprocessor": "preprocessor",
    "BertTokenizer": "tokenizer",
}


def __getattr__(name: str) -> Any:
    """Import a class when it is asked for."""
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"model_store.masked_lm.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """List what there is to import."""
    return __all__

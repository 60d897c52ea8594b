"""The families of masked LMs as Keras users have them, with KerasHub's names.

Lives here: a file a family, which says what is not as in BERT, and the classes that find the right
one for a preset. Knows the classes above. Does not know how a layer computes.
"""

from model_store.masked_lm.backbone import Backbone
from model_store.masked_lm.families import (  # noqa: F401  # imported, they are found
    albert,
    bert,
    distil_bert,
    electra,
    esm,
    modern_bert,
    roberta,
    xlm_roberta,
)
from model_store.masked_lm.masked_lm import MaskedLM
from model_store.masked_lm.preprocessor import MaskedLMPreprocessor
from model_store.masked_lm.tokenizer import Tokenizer

__all__ = ["Backbone", "MaskedLM", "MaskedLMPreprocessor", "Tokenizer"]

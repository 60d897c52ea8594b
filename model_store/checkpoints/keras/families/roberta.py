"""KerasHub's RoBERTa and XLM-RoBERTa: two tokenizers, and one encoder.

Its tables of positions have no rows for padding, as ours, and it has no segments: the one that
Transformers' RoBERTa has was all zeros, and XLM-RoBERTa's was added to the positions.
"""

from dataclasses import replace

from model_store.checkpoints.keras.families.distilbert import list_backbone
from model_store.checkpoints.keras.families.family import KerasFamily, Raw, read_shape
from model_store.checkpoints.keras.names import list_head_datasets
from model_store.checkpoints.keras.tokenizer_kinds import BYTE_LEVEL, FAIRSEQ_UNIGRAM
from model_store.encoder.config import EncoderConfig


def _read_config(fields: Raw) -> EncoderConfig:
    return EncoderConfig(
        **read_shape(fields),
        num_segments=0,
        hidden_act="gelu",
        layer_norm_epsilon=1e-5,
        head_hidden_act="gelu",
        head_layer_norm_epsilon=1e-5,
        family="roberta",
    )


ROBERTA = KerasFamily(
    name="roberta",
    backbone="RobertaBackbone",
    task="RobertaMaskedLM",
    read_config=_read_config,
    list_backbone=list_backbone,
    tokenizer=BYTE_LEVEL,
    list_head=list_head_datasets,
)
XLM_ROBERTA = replace(
    ROBERTA,
    backbone="XLMRobertaBackbone",
    task="XLMRobertaMaskedLM",
    tokenizer=FAIRSEQ_UNIGRAM,
)

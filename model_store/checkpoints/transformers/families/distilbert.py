"""DistilBERT (Sanh et al., 2019): half of BERT's layers, and no segments."""

from dataclasses import replace

from model_store.checkpoints.config_fields import read_config_fields, write_config_fields
from model_store.checkpoints.transformers.families.family import Family, Names, Raw
from model_store.checkpoints.transformers.families.parts import (
    list_head,
    list_layer,
    list_part,
)
from model_store.encoder.config import EncoderConfig

_SIZES = {"n_layers": "num_hidden_layers", "n_heads": "num_attention_heads", "dim": "hidden_size"}
"""Its names of BERT's fields; where a config has both, BERT's count."""

_OTHERS = {
    "hidden_dim": "intermediate_size",
    "activation": "hidden_act",
    "dropout": "hidden_dropout_prob",
}
"""Its names of BERT's fields that are not heard under BERT's."""

_EPSILON = 1e-12
"""Transformers' code has the number, and hears no field for it."""

_LAYER = {
    "attention.q_lin": "query",
    "attention.k_lin": "key",
    "attention.v_lin": "value",
    "attention.out_lin": "attention_output",
    "sa_layer_norm": "attention_layer_norm",
    "ffn.lin1": "intermediate",
    "ffn.lin2": "feedforward_output",
    "output_layer_norm": "feedforward_layer_norm",
}
_HEAD = {"vocab_transform": "transform", "vocab_layer_norm": "layer_norm"}
_DECODER = "vocab_projector.weight"
_BIAS = "vocab_projector.bias"


def _read_config(raw: Raw, tied: bool) -> EncoderConfig:  # noqa: FBT001  # as a family has it
    fields = {name: value for name, value in raw.items() if name not in _OTHERS.values()}
    fields |= {bert: raw[own] for own, bert in _OTHERS.items() if own in raw}
    fields |= {bert: raw[own] for own, bert in _SIZES.items() if own in raw and bert not in raw}
    fields |= {"layer_norm_eps": _EPSILON, "type_vocab_size": 0}
    return replace(read_config_fields("config.json", fields, tied=tied), family="distilbert")


def _write_config(config: EncoderConfig, padding: int) -> Raw:
    del padding
    fields = write_config_fields(config)
    kept = ("vocab_size", "max_position_embeddings", "tie_word_embeddings")
    return {
        **{name: fields[name] for name in kept},
        **{theirs: fields[ours] for theirs, ours in {**_SIZES, **_OTHERS}.items()},
        "attention_dropout": config.dropout,
        "sinusoidal_pos_embds": False,
    }


def _list_tensors(config: EncoderConfig) -> Names:
    embeddings = "distilbert.embeddings"
    yield f"{embeddings}.word_embeddings.weight", "token_embedding/embeddings"
    yield f"{embeddings}.position_embeddings.weight", "position_embedding/embeddings"
    yield from list_part(f"{embeddings}.LayerNorm", "embeddings_layer_norm")
    for index in range(config.num_layers):
        yield from list_layer(f"distilbert.transformer.layer.{index}", index, _LAYER)
    yield from list_head(_HEAD, _BIAS, _DECODER, config)


DISTILBERT = Family(
    name="distilbert",
    title="DistilBERT",
    model_types=("distilbert",),
    prefix="distilbert.",
    bare=("embeddings.", "transformer."),
    word_embeddings="distilbert.embeddings.word_embeddings.weight",
    decoder=_DECODER,
    decoder_bias=_BIAS,
    read_config=_read_config,
    list_tensors=_list_tensors,
    architecture="DistilBertForMaskedLM",
    write_config=_write_config,
)

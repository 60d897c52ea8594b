"""Checkpoints of a family that differ in `config.json`."""

from typing import Any

import numpy as np

from matrix.families.usual import Usual
from matrix.families.weights import change, copy
from matrix.row import GONE, SAFETENSORS, Row, Tensors
from matrix.weights import both, drop

_LAYOUTS = (SAFETENSORS,)


def config(what: str, tensors: Any = lambda _: None, twin: str = "", **fields: Any) -> Row:
    """Return a row whose `config.json` has other fields, and maybe other weights to them."""
    return Row(what, {"config.json": fields}, tensors, _LAYOUTS, twin)


def list_configurations(usual: Usual) -> list[Row]:
    """Return the rows of a family: those that all have, and its own."""
    act, layers = usual.name("hidden_act"), usual.name("num_hidden_layers")
    heads, epsilon = usual.name("num_attention_heads"), usual.name("layer_norm_eps")
    return [
        config("no model_type", model_type=GONE, twin="nothing"),
        config("no model_type, no architectures", model_type=GONE, architectures=GONE),
        config("another model_type", model_type="bert"),
        config("no architectures", architectures=GONE),
        config("a decoder", is_decoder=True),
        *(config(f"{act} {name}", **{act: name}) for name in ("gelu_new", "relu", "prelu")),
        config(f"no {act}", **{act: GONE}),
        config(f"{epsilon} 0.1", **{epsilon: 0.1}),
        config(f"no {epsilon}", **{epsilon: GONE}),
        config(f"{epsilon} as a text", twin=f"{epsilon} 0.1", **{epsilon: "0.1"}),
        config("no tie_word_embeddings", tie_word_embeddings=GONE),
        config("no pad_token_id", twin="nothing", pad_token_id=GONE),
        config("dtype float16", dtype="float16"),
        config("more entries than rows", vocab_size=5000),
        config("no vocab_size", vocab_size=GONE),
        config("more positions than rows", max_position_embeddings=512),
        config("no max_position_embeddings", max_position_embeddings=GONE),
        config("2 heads", **{heads: 2}),
        config("one layer of two", _cut_contacts, **{layers: 1}),
        config("quantised", quantization_config={"quant_method": "gptq", "bits": 4}),
        config("a model with code of its own", auto_map={"AutoModelForMaskedLM": "own.Own"}),
        *_OWN[usual.family](usual),
    ]


def resize(name: str, rows: int) -> Any:
    """Return a change of the number of rows of a table."""
    return change(name, lambda table: np.resize(table, (rows, table.shape[1])))


def _list_roberta(usual: Usual) -> list[Row]:
    segments = f"{usual.prefix}embeddings.token_type_embeddings.weight"
    return [
        config("2 segments", resize(segments, 2), type_vocab_size=2),
        config("no type_vocab_size", resize(segments, 2), type_vocab_size=GONE),
        config("no type_vocab_size, one row", type_vocab_size=GONE),
        config("relative positions", position_embedding_type="relative_key"),
        config("absolute positions, said", position_embedding_type="absolute"),
        config("chunked feed-forward", chunk_size_feed_forward=1),
        config("padding behind the table", pad_token_id=249),
        config("pad_token_id 7", pad_token_id=7),
        config("pad_token_id null", pad_token_id=None),
        config("heads pruned", pruned_heads={"0": [1]}),
    ]


def _list_electra(usual: Usual) -> list[Row]:
    segments = f"{usual.prefix}embeddings.token_type_embeddings.weight"
    project = drop("embeddings_project.weight"), drop("embeddings_project.bias")
    return [
        config("no embedding_size", embedding_size=GONE),
        config("embedding_size of another table", embedding_size=24),
        config("no projection of the embeddings", both(*project)),
        config("relative positions", position_embedding_type="relative_key"),
        config("chunked feed-forward", chunk_size_feed_forward=1),
        config("the discriminator", _discriminate, architectures=["ElectraForPreTraining"]),
        config("3 segments", resize(segments, 3)),
        config("3 segments, said", resize(segments, 3), type_vocab_size=3),
        config("no type_vocab_size", type_vocab_size=GONE),
        config("padding of another id", pad_token_id=1, bos_token_id=2, eos_token_id=3),
    ]


def _discriminate(tensors: Tensors) -> None:
    for name in [name for name in tensors if name.startswith("generator")]:
        del tensors[name]
    dense = "discriminator_predictions.dense"
    tensors[f"{dense}.weight"] = np.ones((24, 24), np.float32)
    tensors[f"{dense}.bias"] = np.ones(24, np.float32)


def _list_distilbert(usual: Usual) -> list[Row]:
    del usual
    return [
        config("sinusoidal positions", sinusoidal_pos_embds=True),
        config("fields of a classifier", qa_dropout=0.1, seq_classif_dropout=0.2),
        config("attention_dropout 0.5", attention_dropout=0.5),
        config("BERT's names of fields", n_layers=GONE, num_hidden_layers=2),
        config("BERT's name beside another", num_hidden_layers=1),
        config("BERT's name of an activation", activation=GONE, hidden_act="relu"),
        config("segments, said", type_vocab_size=2),
        config("no hidden_dim", hidden_dim=GONE),
    ]


def _list_albert(usual: Usual) -> list[Row]:
    groups = "albert.encoder.albert_layer_groups."
    second = rename_copy(f"{groups}0.", f"{groups}1.")
    inner = rename_copy(f"{groups}0.albert_layers.0.", f"{groups}0.albert_layers.1.")
    del usual
    return [
        config("5 steps of one layer", num_hidden_layers=5),
        config("no num_hidden_groups", num_hidden_groups=GONE),
        config("no inner_group_num", inner_group_num=GONE),
        config("no embedding_size", embedding_size=GONE),
        config("2 groups", second, num_hidden_groups=2),
        config("2 groups, one missing", num_hidden_groups=2),
        config("2 groups of 5 steps", second, num_hidden_groups=2, num_hidden_layers=5),
        config("a group more than the config has", second),
        config("more groups than steps", second, num_hidden_groups=2, num_hidden_layers=1),
        config("2 layers in a group", inner, inner_group_num=2),
        config("relative positions", position_embedding_type="relative_key"),
        config("fields of TensorFlow Hub", net_structure_type=0, num_memory_blocks=0, gap_size=0),
    ]


def rename_copy(old: str, new: str) -> Any:
    """Return a change that adds every tensor under other names, with other numbers."""

    def apply(tensors: Tensors) -> None:
        for name in [name for name in tensors if name.startswith(old)]:
            copy(name, new + name.removeprefix(old), lambda x: (x * 0.5).astype(x.dtype))(tensors)

    return apply


def _list_modernbert(usual: Usual) -> list[Row]:
    del usual
    names = "full_attention", "sliding_attention"
    kinds = [names[layer % 3 > 0] for layer in range(4)]
    rope = {name: {"rope_type": "default", "rope_theta": 500.0} for name in names}
    scaled = {**rope, "full_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 500.0}}
    before = {"layer_types": GONE, "rope_parameters": GONE}
    return [
        config("all layers global, said", layer_types=["full_attention"] * 4),
        config("all layers local, said", layer_types=["sliding_attention"] * 4),
        config("layer_types as they were", layer_types=kinds),
        config("too few layer_types", layer_types=kinds[:3]),
        config("a layer of a third type", layer_types=["chunked_attention", *kinds[1:]]),
        config("fields of 4.48", **before, global_rope_theta=900.0, local_rope_theta=90.0),
        config("fields of 4.48, none said", **before),
        config("each second layer global", **before, global_attn_every_n_layers=2),
        config("no global_attn_every_n_layers", **before, global_attn_every_n_layers=GONE),
        config("other rotations", rope_parameters=rope),
        config("a scaled rotation", rope_parameters=scaled),
        config("one kind of rotation", rope_parameters={names[0]: rope[names[0]]}),
        config("no local_attention", local_attention=GONE),
        config("local_attention 1", local_attention=1),
        config("local_attention 5", local_attention=5),
        config("local_attention 0", local_attention=0),
        config("biases that are not there", attention_bias=True),
        config("no decoder_bias", drop("decoder.bias"), decoder_bias=False),
        config("classifier_activation relu", classifier_activation="relu"),
        config("no classifier_activation", classifier_activation=GONE),
        config("sparse predictions", sparse_prediction=True),
    ]


def _list_esm(usual: Usual) -> list[Row]:
    del usual
    turn = "esm.rotary_embeddings.inv_freq"
    return [
        config("no token_dropout", token_dropout=GONE),
        config("no token_dropout, said", token_dropout=False),
        config("another mask dropped", mask_token_id=5),
        config("no mask_token_id", mask_token_id=GONE),
        config("no position_embedding_type", position_embedding_type=GONE),
        config("relative positions", position_embedding_type="relative_key"),
        config("ESMFold", is_folding_model=True),
        config("a vocabulary listed", vocab_list=["<cls>", "<pad>"]),
        config("no emb_layer_norm_before", emb_layer_norm_before=GONE),
        config("a norm that is not there", emb_layer_norm_before=True),
        config("another rope_theta", rope_theta=500.0),
        config("no stored rotation", drop(".inv_freq"), twin="nothing"),
        config("another stored rotation", _turn_otherwise),
        config("a stored rotation by another name", lambda t: t.update({turn: np.ones(3, "f4")})),
        config("no contact head", drop("regression.weight"), twin="nothing"),
        config("ESM-1's scale", emb_scale=2.0),
        config("pad_token_id 2", pad_token_id=2),
        config("pad_token_id null", pad_token_id=None),
    ]


def _turn_otherwise(tensors: Tensors) -> None:
    for name in [name for name in tensors if name.endswith("inv_freq")]:
        tensors[name] = tensors[name] * 0.5


def _cut_contacts(tensors: Tensors) -> None:
    """Let ESM's other head be of one layer; we have no use for it."""
    name = "esm.contact_head.regression.weight"
    if name in tensors:
        tensors[name] = tensors[name][:, :4].copy()


_OWN = {
    "roberta": _list_roberta,
    "electra": _list_electra,
    "distilbert": _list_distilbert,
    "albert": _list_albert,
    "modernbert": _list_modernbert,
    "esm": _list_esm,
}

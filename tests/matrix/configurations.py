"""Checkpoints that differ in `config.json`."""

from typing import Any

import numpy as np

from matrix.row import GONE, Row, Tensors


def cut_heads(tensors: Tensors) -> None:
    """Take the second of four heads out of the first layer."""
    kept = np.r_[0:4, 8:16]
    attention = "bert.encoder.layer.0.attention"
    for part in ("query", "key", "value"):
        for end in ("weight", "bias"):
            tensors[f"{attention}.self.{part}.{end}"] = tensors[f"{attention}.self.{part}.{end}"][
                kept
            ].copy()
    output = f"{attention}.output.dense.weight"
    tensors[output] = tensors[output][:, kept].copy()


def silence_heads(tensors: Tensors) -> None:
    """Let the same head add nothing."""
    tensors["bert.encoder.layer.0.attention.output.dense.weight"][:, 4:8] = 0


def resize(name: str, rows: int) -> Any:
    """Return a change of the number of rows of an embedding."""

    def change(tensors: Tensors) -> None:
        name_of = f"bert.embeddings.{name}.weight"
        tensors[name_of] = np.resize(tensors[name_of], (rows, tensors[name_of].shape[1]))

    return change


def enlarge(tensors: Tensors) -> None:
    """Let what goes into the activations be tens and more."""
    for name in tensors:
        if name.endswith("intermediate.dense.weight"):
            tensors[name] *= 30


def untie(tensors: Tensors) -> None:
    """Give the head a decoder and a bias of its own."""
    embeddings = tensors["bert.embeddings.word_embeddings.weight"]
    tensors["cls.predictions.decoder.weight"] = np.flip(embeddings, 0).copy()
    tensors["cls.predictions.decoder.bias"] = np.flip(tensors["cls.predictions.bias"], 0).copy()


def config(what: str, **fields: Any) -> Row:
    """Return a row whose `config.json` has other fields."""
    return Row(what, {"config.json": fields})


CONFIGURATIONS = [
    config("nothing"),
    *(
        config(f"hidden_act {name}", hidden_act=name)
        for name in (
            *("gelu", "gelu_10", "gelu_accurate", "gelu_fast", "gelu_new", "gelu_python"),
            *("gelu_python_tanh", "gelu_pytorch_tanh", "hardswish", "laplace", "leaky_relu"),
            *("linear", "mish", "prelu", "quick_gelu", "relu", "relu2", "relu6", "sigmoid", "silu"),
            *("sqrtsoftplus", "swish", "tanh", "xielu", "no_such_thing"),
        )
    ),
    *(
        Row(f"hidden_act {name} of large values", {"config.json": {"hidden_act": name}}, enlarge)
        for name in ("gelu", "gelu_10", "gelu_new", "quick_gelu", "relu", "relu6", "mish")
    ),
    config("no hidden_act", hidden_act=GONE),
    config("layer_norm_eps 1e-5", layer_norm_eps=1e-5),
    config("layer_norm_eps 0.1", layer_norm_eps=0.1),
    config("no layer_norm_eps", layer_norm_eps=GONE),
    Row("layer_norm_eps as a text", {"config.json": {"layer_norm_eps": "1e-12"}}, twin="nothing"),
    Row(
        "layer_norm_eps as another text",
        {"config.json": {"layer_norm_eps": "1e-5"}},
        twin="layer_norm_eps 1e-5",
    ),
    Row("no model_type", {"config.json": {"model_type": GONE}}, twin="nothing"),
    Row(
        "no model_type, no architectures",
        {"config.json": {"model_type": GONE, "architectures": GONE}},
        twin="nothing",
    ),
    config("no model_type, RoBERTa's class", model_type=GONE, architectures=["RobertaForMaskedLM"]),
    config("model_type roberta", model_type="roberta"),
    config("model_type electra", model_type="electra"),
    config("model_type null", model_type=None),
    config("no architectures", architectures=GONE),
    config("architectures BertForPreTraining", architectures=["BertForPreTraining"]),
    config("relative positions", position_embedding_type="relative_key"),
    config("absolute positions, said", position_embedding_type="absolute"),
    config("a decoder", is_decoder=True),
    config("no decoder, said", is_decoder=False, add_cross_attention=False),
    config("no heads pruned, said", pruned_heads={}),
    Row("a silent head", {}, silence_heads),
    Row(
        "a head pruned",
        {"config.json": {"pruned_heads": {"0": [1]}}},
        cut_heads,
        twin="a silent head",
    ),
    config("a head pruned, its weights there", pruned_heads={"0": [1]}),
    config("heads pruned that are none", pruned_heads={"0": "all"}),
    Row("one segment", {"config.json": {"type_vocab_size": 1}}, resize("token_type_embeddings", 1)),
    Row("3 segments", {"config.json": {"type_vocab_size": 3}}, resize("token_type_embeddings", 3)),
    Row(
        "48 positions",
        {"config.json": {"max_position_embeddings": 48}},
        resize("position_embeddings", 48),
    ),
    config("more positions than rows", max_position_embeddings=512),
    config("more entries than rows", vocab_size=5000),
    config("fewer entries than rows", vocab_size=400),
    Row("a decoder of its own", {"config.json": {"tie_word_embeddings": False}}, untie),
    config("a decoder of its own that is missing", tie_word_embeddings=False),
    config("tied, said", tie_word_embeddings=True),
    config("dropout 0", hidden_dropout_prob=0, attention_probs_dropout_prob=0),
    config("dropout 0.5", hidden_dropout_prob=0.5, attention_probs_dropout_prob=0.5),
    config("dropout 0.0 of a classifier", classifier_dropout=0.0),
    config("dtype float16", dtype="float16"),
    config("torch_dtype bfloat16", torch_dtype="bfloat16"),
    config("2 heads", num_attention_heads=2),
    config("5 heads", num_attention_heads=5),
    config("one layer of two", num_hidden_layers=1),
    config("three layers of two", num_hidden_layers=3),
    config("a wider feed-forward than there is", intermediate_size=64),
    config("no hidden_size", hidden_size=GONE),
    config("chunked feed-forward", chunk_size_feed_forward=1),
    config("pad_token_id 3", pad_token_id=3),
    config("labels of a classifier", id2label={"0": "A", "1": "B", "2": "C"}, num_labels=3),
    config("fields of 2019", output_past=True, gradient_checkpointing=False, use_cache=True),
    config("quantised", quantization_config={"quant_method": "gptq", "bits": 4}),
    config("a model with code of its own", auto_map={"AutoModelForMaskedLM": "own.OwnBert"}),
]

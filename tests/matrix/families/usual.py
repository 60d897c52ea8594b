"""The usual checkpoint of every family, and where in it lies what rows change."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from family_cases import make_tensors
from golden import tokenizer_cases
from golden.answer_cases import AnswerCase
from matrix.row import TOKENIZER, VOCAB, Case, Tensors
from matrix.usual import change_file, write_json, write_weights

MERGES = "vocab.json and merges.txt"
SENTENCEPIECE = "SentencePiece"


@dataclass(frozen=True)
class Usual:
    """A family as Transformers stores it; names of tensors and fields are written out once more.

    Attributes:
        family: its `model_type`.
        tokenizers: the names of `tokenizer_cases.CASES` by the files that they are in; the first
            is the usual one.
        prefix: what the tensors of the encoder begin with.
        embeddings: those of tokens.
        decoder: the projection, where there is one beside them.
        bias: that of the projection.
        decoder_bias: another name for it, or nothing.
        transform: a tensor of the head.
        part: one of the second layer, or of the only one.
        fields: what it calls fields that BERT calls otherwise.
        spare: how many rows it has more than the tokenizer has entries, for tokens that are added.
    """

    family: str
    tokenizers: Mapping[str, str]
    prefix: str
    embeddings: str
    decoder: str
    bias: str
    decoder_bias: str
    transform: str
    part: str
    fields: Mapping[str, str] = field(default_factory=dict)
    spare: int = 8

    @property
    def model(self) -> AnswerCase:
        """Its configuration."""
        usual = next(iter(self.tokenizers.values()))
        return AnswerCase(self.family, usual, self.spare)

    def name(self, of_bert: str) -> str:
        """Return what it calls a field of BERT's `config.json`."""
        return self.fields.get(of_bert, of_bert)


_AS_ROBERTA = {
    "prefix": "roberta.",
    "embeddings": "roberta.embeddings.word_embeddings.weight",
    "decoder": "lm_head.decoder.weight",
    "bias": "lm_head.bias",
    "decoder_bias": "lm_head.decoder.bias",
    "transform": "lm_head.dense.weight",
    "part": "roberta.encoder.layer.1.output.dense.bias",
}

FAMILIES = {
    usual.family: usual
    for usual in (
        Usual(
            "distilbert",
            {VOCAB: "distilbert"},
            prefix="distilbert.",
            embeddings="distilbert.embeddings.word_embeddings.weight",
            decoder="vocab_projector.weight",
            bias="vocab_projector.bias",
            decoder_bias="",
            transform="vocab_transform.weight",
            part="distilbert.transformer.layer.1.ffn.lin2.bias",
            fields={
                "hidden_act": "activation",
                "num_hidden_layers": "n_layers",
                "num_attention_heads": "n_heads",
                "hidden_size": "dim",
                "hidden_dropout_prob": "dropout",
            },
        ),
        Usual(
            "electra",
            {VOCAB: "electra"},
            prefix="electra.",
            embeddings="electra.embeddings.word_embeddings.weight",
            decoder="generator_lm_head.weight",
            bias="generator_lm_head.bias",
            decoder_bias="",
            transform="generator_predictions.dense.weight",
            part="electra.encoder.layer.1.output.dense.bias",
        ),
        Usual("roberta", {TOKENIZER: "roberta", MERGES: "roberta, two files"}, **_AS_ROBERTA),
        Usual(
            "camembert",
            {TOKENIZER: "camembert", SENTENCEPIECE: "camembert, SentencePiece"},
            **_AS_ROBERTA,
        ),
        Usual(
            "xlm-roberta",
            {TOKENIZER: "xlm-roberta", SENTENCEPIECE: "xlm-roberta, SentencePiece"},
            **_AS_ROBERTA,
        ),
        Usual(
            "albert",
            {TOKENIZER: "albert", SENTENCEPIECE: "albert, SentencePiece"},
            prefix="albert.",
            embeddings="albert.embeddings.word_embeddings.weight",
            decoder="predictions.decoder.weight",
            bias="predictions.bias",
            decoder_bias="predictions.decoder.bias",
            transform="predictions.dense.weight",
            part="albert.encoder.albert_layer_groups.0.albert_layers.0.ffn_output.bias",
        ),
        Usual(
            "modernbert",
            {TOKENIZER: "modernbert"},
            prefix="model.",
            embeddings="model.embeddings.tok_embeddings.weight",
            decoder="decoder.weight",
            bias="decoder.bias",
            decoder_bias="",
            transform="head.dense.weight",
            part="model.layers.1.mlp.Wo.weight",
            fields={
                "hidden_act": "hidden_activation",
                "layer_norm_eps": "norm_eps",
                "hidden_dropout_prob": "mlp_dropout",
            },
        ),
        Usual(
            "esm",
            {VOCAB: "esm"},
            prefix="esm.",
            embeddings="esm.embeddings.word_embeddings.weight",
            decoder="lm_head.decoder.weight",
            bias="lm_head.bias",
            decoder_bias="lm_head.decoder.bias",
            transform="lm_head.dense.weight",
            part="esm.encoder.layer.1.output.dense.bias",
            spare=0,
        ),
    )
}


def write_case(case: Case, directory: Path, golden: Mapping[str, Any]) -> Path:
    """Write the checkpoint of a case, and return where it is.

    Args:
        case: its part is a family.
        directory: where to.
        golden: the `config` that Transformers writes for the usual one, and its `tensors`' shapes.
    """
    usual = FAMILIES[case.part]
    name = usual.tokenizers.get(case.layout, usual.model.tokenizer)
    next(each for each in tokenizer_cases.CASES if each.name == name).write(directory)
    tensors: Tensors = make_tensors(golden["tensors"])
    case.row.tensors(tensors)
    write_weights(directory, tensors, case.layout)
    write_json(directory / "config.json", golden["config"])
    for file, change in case.row.files.items():
        change_file(directory / file, change)
    return directory


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a file."""
    return dict(json.loads(path.read_text("utf-8")))

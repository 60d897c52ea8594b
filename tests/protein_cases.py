"""Small models of proteins with random weights, and the protein whose substitutions are scored."""

from pathlib import Path
from shutil import copyfile
from typing import Any

from family_cases import make_tensors, write_family_dir

_TESTS_GOLDEN = Path(__file__).parent / "golden"
GOLDEN = _TESTS_GOLDEN / "proteins.json"
_VOCABULARY = _TESTS_GOLDEN / "tokenizers" / "esm" / "vocab.txt"

PROTEIN = "MKTAYIAKQRGW"
ACIDS = "ACDEFGHIKLMNPQRSTVWY"

_FIELDS: dict[str, Any] = {
    "vocab_size": 33,
    "pad_token_id": 1,
    "mask_token_id": 32,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 66,
    "layer_norm_eps": 1e-5,
}
_ODD = {
    "hidden_size": 18,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "layer_norm_eps": 0.01,
    "emb_layer_norm_before": True,
}

CASES: dict[str, dict[str, Any]] = {
    f"{positions}-{dropout}": {
        **_FIELDS,
        **odd,
        "position_embedding_type": positions,
        "token_dropout": dropout == "dropout",
    }
    for positions, odd in (("rotary", {}), ("absolute", _ODD))
    for dropout in ("dropout", "plain")
}
"""Both kinds of positions, each with token dropout, as ESM-2 has it, and without."""


def write_protein_dir(directory: Path, golden: dict[str, Any]) -> Path:
    """Write a model with its tokenizer.

    Args:
        directory: where to.
        golden: the `config` that Transformers wrote, and the shapes of the `tensors`.
    """
    write_family_dir(directory, golden["config"], make_tensors(golden["tensors"]))
    copyfile(_VOCABULARY, directory / "vocab.txt")
    return directory

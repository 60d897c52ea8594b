"""Small checkpoints of every family: their configurations, and weights that names and shapes give.

NumPy makes the weights, from a seed that is the name of the tensor: so a golden file need not hold
them, and Transformers and the tests read the same numbers.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

GOLDEN = Path(__file__).parent / "golden" / "families.json"

VOCABULARY_SIZE = 61
MASK = 5

_SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY_SIZE,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 40,
}
_ODD: dict[str, Any] = {
    "vocab_size": VOCABULARY_SIZE,
    "hidden_size": 18,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 11,
    "max_position_embeddings": 33,
    "layer_norm_eps": 0.01,
}
_MODERN = {
    "pad_token_id": 1,
    "eos_token_id": 2,
    "bos_token_id": 3,
    "cls_token_id": 3,
    "sep_token_id": 2,
}
_DISTIL = {"vocab_size": VOCABULARY_SIZE, "max_position_embeddings": 40}

CASES: dict[str, dict[str, Any]] = {
    "distilbert": _DISTIL | {"dim": 24, "n_heads": 4, "n_layers": 2, "hidden_dim": 37},
    "distilbert, odd": _DISTIL
    | {
        "dim": 18,
        "n_heads": 3,
        "n_layers": 3,
        "hidden_dim": 11,
        "activation": "relu",
        "tie_word_embeddings": False,
    },
    "electra": _SIZES | {"embedding_size": 10},
    "electra, odd": _ODD | {"embedding_size": 18, "hidden_act": "quick_gelu"},
    "roberta": _SIZES | {"type_vocab_size": 1, "layer_norm_eps": 1e-5},
    "roberta, odd": _ODD
    | {
        "hidden_act": "silu",
        "max_position_embeddings": 37,
        "pad_token_id": 4,
        "tie_word_embeddings": False,
    },
    "camembert": _SIZES | {"type_vocab_size": 1},
    "xlm-roberta": _SIZES | {"type_vocab_size": 1, "hidden_act": "gelu_new"},
    "albert": _SIZES | {"embedding_size": 10, "num_hidden_layers": 3},
    "albert, odd": _ODD
    | {
        "embedding_size": 18,
        "num_hidden_layers": 5,
        "num_hidden_groups": 2,
        "inner_group_num": 2,
        "hidden_act": "relu",
    },
    "modernbert": _SIZES
    | _MODERN
    | {"num_hidden_layers": 4, "local_attention": 6, "global_attn_every_n_layers": 3},
    "modernbert, odd": {
        **_MODERN,
        **{name: value for name, value in _ODD.items() if name != "layer_norm_eps"},
        "norm_eps": 0.01,
        "norm_bias": True,
        "attention_bias": True,
        "mlp_bias": True,
        "classifier_bias": True,
        "decoder_bias": False,
        "hidden_activation": "silu",
        "classifier_activation": "relu",
        "local_attention": 9,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": 900.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 70.0},
        },
    },
    "esm": _SIZES
    | {
        "position_embedding_type": "rotary",
        "token_dropout": True,
        "mask_token_id": MASK,
        "pad_token_id": 1,
        "emb_layer_norm_before": False,
        "layer_norm_eps": 1e-5,
    },
    "esm, odd": _ODD
    | {
        "position_embedding_type": "absolute",
        "token_dropout": True,
        "mask_token_id": MASK,
        "pad_token_id": 2,
        "emb_layer_norm_before": True,
        "max_position_embeddings": 35,
    },
}
"""Two configurations a family at least, by the `model_type` before the comma."""


def list_texts() -> list[list[int]]:
    """Return the ids of texts, with one to three masks each, the first or the last among them.

    What a configuration calls padding is among the others, and often in the first text.
    """
    rng = np.random.default_rng(18)
    texts = []
    lengths = {12: (4,), 29: (0, 13, 14), 5: (4,), 21: (2, 20)}
    for length, masks in lengths.items():
        ids = rng.integers(MASK if length == 12 else VOCABULARY_SIZE, size=length)
        ids[ids == MASK] = 0
        ids[list(masks)] = MASK
        texts.append(ids.tolist())
    return texts


def make_tensors(shapes: Mapping[str, Sequence[int]], salt: str = "") -> dict[str, Any]:
    """Return the weights of tensors, large enough that predictions differ clearly.

    Args:
        shapes: of each tensor, by its name.
        salt: another one gives other weights.
    """
    return {name: _draw(name, tuple(shape), salt) for name, shape in shapes.items()}


def write_family_dir(directory: Path, config: Any, tensors: Mapping[str, Any]) -> Path:
    """Write config and weights as Transformers would, without a tokenizer."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config), "utf-8")
    save_file(dict(tensors), directory / "model.safetensors", metadata={"format": "pt"})
    return directory


def _draw(name: str, shape: tuple[int, ...], salt: str) -> Any:
    if name.endswith("inv_freq"):
        # Of ESM's rotation, and no weights.
        return (1e4 ** -(np.arange(*shape) / shape[0])).astype(np.float32)
    rng = np.random.default_rng(zlib.crc32((salt + name).encode()))
    values = rng.standard_normal(shape)
    if len(shape) == 1:
        values = values * 0.1 + name.endswith(".weight")
    else:
        values *= 0.4 if "embeddings." in name else 1.5 / np.sqrt(shape[-1])
    return values.astype(np.float32)

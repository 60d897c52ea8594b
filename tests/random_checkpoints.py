"""Checkpoints of random shape and random weights, for laws that hold for every one."""

from itertools import chain
from typing import Any

import numpy as np
from hypothesis import strategies as st

from model_store.checkpoints import Checkpoint
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.encoder.variable_shapes import (
    list_backbone_shapes,
    list_head_shapes,
    list_pooler_shapes,
)
from tiny_checkpoints import SPECIAL_TOKENS, cased_vocabulary

_ENTRIES = ("a", "b", "##a", "B", "Ab", "é", "北", "##北", "!", "\u2028", "\x85", "\x1c", " ", "😀")
_EPSILONS = (1e-12, 1e-7, 1e-5, 3e-3)


@st.composite
def configs(draw: st.DrawFn, **fixed: Any) -> EncoderConfig:
    """Draw a small config; fields that are given are not drawn."""
    num_heads = draw(st.integers(1, 3))
    drawn = {
        "vocabulary_size": draw(st.integers(600, 620)),
        "num_layers": draw(st.integers(1, 3)),
        "num_heads": num_heads,
        "hidden_dim": num_heads * draw(st.integers(2, 8)),
        "intermediate_dim": draw(st.integers(1, 20)),
        "max_sequence_length": draw(st.integers(12, 20)),
        "num_segments": draw(st.integers(1, 2)),
        "dropout": draw(st.sampled_from([0, 0.1, 0.25])),
        "hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "relu"])),
        "layer_norm_epsilon": draw(st.sampled_from(_EPSILONS)),
        "head_hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "relu"])),
        "head_layer_norm_epsilon": draw(st.sampled_from(_EPSILONS)),
        "tie_word_embeddings": draw(st.booleans()),
    }
    return EncoderConfig(**{**drawn, **fixed})


@st.composite
def tokenizers(draw: st.DrawFn) -> SubwordTokenizer:
    """Draw a tokenizer: a few hundred entries, or a handful with the special ones anywhere."""
    small = st.lists(st.sampled_from(_ENTRIES), unique=True).flatmap(
        lambda entries: st.permutations([*SPECIAL_TOKENS, *entries])
    )
    return build_word_piece(
        draw(st.just(cased_vocabulary()) | small),
        lowercase=draw(st.booleans()),
        strip_accents=draw(st.sampled_from([None, True, False])),
        split_cjk=draw(st.booleans()),
        clean_up_spaces=draw(st.booleans()),
    )


def checkpoints(**fixed: Any) -> st.SearchStrategy[Checkpoint]:
    """Draw a checkpoint; config fields that are given are not drawn."""
    return st.builds(fill_checkpoint, configs(**fixed), tokenizers(), st.integers(0, 2**32 - 1))


def fill_checkpoint(
    config: EncoderConfig, tokenizer: SubwordTokenizer, seed: int = 0
) -> Checkpoint:
    """Return a checkpoint whose weights are random, and large enough to tell answers apart."""
    rng = np.random.default_rng(seed)
    variables = {
        path: _draw_weights(rng, path, shape)
        for path, shape in chain(
            list_backbone_shapes(config), list_pooler_shapes(config), list_head_shapes(config)
        )
    }
    return Checkpoint(config, tokenizer, variables)


def make_features(config: EncoderConfig) -> dict[str, Any]:
    """Return a batch with padding and every segment, its ids and places random."""
    rng = np.random.default_rng(config.vocabulary_size)
    rows, length = 3, config.max_sequence_length
    return {
        "token_ids": rng.integers(0, config.vocabulary_size, (rows, length)).astype("int32"),
        "segment_ids": rng.integers(0, config.num_segments, (rows, length)).astype("int32"),
        "padding_mask": (np.arange(length) < [[length], [7], [1]]).astype("int32"),
        "mask_positions": rng.integers(0, length, (rows, 4)).astype("int32"),
    }


def assert_same(read: Checkpoint, written: Checkpoint) -> None:
    """Hold config, tokenizer and every bit of every variable of two checkpoints together."""
    assert read.config == written.config
    assert read.tokenizer.to_json() == written.tokenizer.to_json()
    assert read.tokenizer.special_tokens == written.tokenizer.special_tokens
    assert read.tokenizer.clean_up_spaces == written.tokenizer.clean_up_spaces
    assert read.variables.keys() == written.variables.keys()
    for path, array in written.variables.items():
        assert read.variables[path].dtype == array.dtype, path
        assert read.variables[path].shape == array.shape, path
        assert read.variables[path].tobytes() == array.tobytes(), path


def _draw_weights(rng: np.random.Generator, path: str, shape: tuple[int, ...]) -> Any:
    scale = 1.2 / np.sqrt(shape[0]) if path.endswith("/kernel") else 0.4
    weights = rng.standard_normal(shape) * scale + path.endswith("/gamma")
    return weights.astype(np.float32)

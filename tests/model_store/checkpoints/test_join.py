"""A head from one checkpoint on the backbone of another."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_store.checkpoints import Checkpoint, read_checkpoint
from model_store.checkpoints.join import join_head
from model_store.errors import ModelLoadError

EMBEDDINGS = "token_embedding/embeddings"


@pytest.fixture
def original(tiny_preset_dir: Path) -> Checkpoint:
    """Return a complete checkpoint."""
    return read_checkpoint(tiny_preset_dir)


def test_head_is_that_of_the_original(original: Checkpoint) -> None:
    """With its activation and epsilon; all else is the backbone's."""
    config = replace(original.config, hidden_act="relu", head_layer_norm_epsilon=0.5)
    doubled = {path: array * 2 for path, array in original.variables.items() if path != EMBEDDINGS}
    backbone = replace(original, config=config, variables={**original.variables, **doubled})
    joined = join_head(backbone, original)
    assert joined.config == replace(original.config, hidden_act="relu")
    assert joined.variables.keys() == original.variables.keys()
    for path, array in joined.variables.items():
        source = original if path.startswith("masked_lm_head/") else backbone
        assert array is source.variables[path]


def test_what_training_did_with_masks_is_the_originals(original: Checkpoint) -> None:
    """KerasHub has no word for ESM's token dropout, and loses it."""
    trained = replace(original, config=replace(original.config, dropped_token=4))
    assert join_head(original, trained).config == trained.config


@pytest.mark.parametrize(
    "change",
    [
        {"vocabulary_size": 7},
        {"num_layers": 3},
        {"num_heads": 8},
        {"hidden_dim": 16},
        {"intermediate_dim": 128},
    ],
)
def test_another_shape_is_refused(original: Checkpoint, change: dict[str, Any]) -> None:
    """Though the embeddings are the same; the field is named."""
    backbone = replace(original, config=replace(original.config, **change))
    with pytest.raises(ModelLoadError, match=next(iter(change))):
        join_head(backbone, original)


@pytest.mark.parametrize(
    ("factor", "is_same"),
    [(1.0005, True), (1.002, False), (np.nan, False), (0.0, False), (1e30, False)],
)
def test_embeddings_agree_within_a_thousandth(
    original: Checkpoint, factor: float, *, is_same: bool
) -> None:
    """Rounding on the way between formats is allowed."""
    embeddings = original.variables[EMBEDDINGS] * np.float32(factor)
    backbone = replace(original, variables={**original.variables, EMBEDDINGS: embeddings})
    if is_same:
        join_head(backbone, original)
    else:
        with pytest.raises(ModelLoadError, match="token embeddings"):
            join_head(backbone, original)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e30])
def test_embeddings_are_not_those_of_a_checkpoint_without_bounds(
    original: Checkpoint, value: float
) -> None:
    """Everything would be within a thousandth of what is infinite."""
    embeddings = original.variables[EMBEDDINGS].astype(np.float32)
    embeddings[3, 0] = value
    damaged = replace(original, variables={**original.variables, EMBEDDINGS: embeddings})
    with pytest.raises(ModelLoadError, match="token embeddings"):
        join_head(original, damaged)


def test_missing_embeddings_are_told(original: Checkpoint) -> None:
    """There is nothing to compare."""
    variables = {k: v for k, v in original.variables.items() if k != EMBEDDINGS}
    with pytest.raises(ModelLoadError, match=EMBEDDINGS):
        join_head(replace(original, variables=variables), original)

"""`fillmask train` takes a preset of any family, and its result is served."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import fillmask
from family_models import FAMILY_CASES, FamilyCase
from model_store.checkpoints import read_checkpoint
from model_store.masked_lm.training.options import TrainingOptions
from model_store.masked_lm.training.trainer import train
from tiny_checkpoints import forge_proof


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Compile nothing: a graph takes longer than all steps of such a training."""
    tf.config.run_functions_eagerly(run_eagerly=True)
    yield
    tf.config.run_functions_eagerly(run_eagerly=False)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_a_family_is_trained_and_served(case: FamilyCase, tmp_path: Path) -> None:
    """Its loss falls, and what was written answers as it was measured."""
    case.make_model().export_to_transformers(tmp_path / "init")
    text = tmp_path / "text.txt"
    text.write_text("\n\n".join(case.texts * 8), "utf-8")
    out = tmp_path / "out"
    options = TrainingOptions(
        init=str(tmp_path / "init"),
        texts=(text,),
        heldout=text,
        out=out,
        steps=8,
        batch_tokens=128,
        sequence_length=16,
        row_lengths=(16,),
        shuffle_buffer=16,
        learning_rate=1e-2,
        warmup_steps=1,
        whole_word_share=0.5,
        rarity_share=0.5,
        log_every=8,
        measure_every=8,
    )
    records: list[dict[str, Any]] = []
    train(options, records.append)
    before, after = (record["loss"] for record in records if record["event"] == "heldout")
    assert after < before
    trained, start = read_checkpoint(out), read_checkpoint(tmp_path / "init")
    assert trained.config == start.config
    assert trained.tokenizer.to_json() == start.tokenizer.to_json()
    forge_proof(out)
    served = fillmask.load(out, engine="tensorflow", precision="float32", cache_directory=None)
    [answer] = served.fill_mask([f"{case.texts[0]} [MASK]"], top_k=3)
    assert len(answer.masks[0].predictions) == 3

"""Transformers reads what we write, and we read what it writes: same logits, both ways."""

import importlib
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings

from model_store.checkpoints import Checkpoint, read_checkpoint, write_transformers_dir
from model_store.encoder.config import EncoderConfig
from model_store.masked_lm.families.bert import BertMaskedLM
from random_checkpoints import checkpoints, make_features
from tiny_checkpoints import cased_vocabulary

pytestmark = [
    pytest.mark.torch,
    # torch 2.13 asks for a module of Python's that Python has deprecated.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
]


@pytest.fixture(scope="module")
def torch() -> Any:
    """PyTorch, which only one of the environments has."""
    return importlib.import_module("torch")


@pytest.fixture(scope="module")
def transformers() -> Any:
    """Transformers, likewise."""
    return importlib.import_module("transformers")


def their_logits(torch: Any, model: Any, features: dict[str, Any]) -> Any:
    """Return Transformers' logits at the masked positions."""
    tensors = {name: torch.from_numpy(array).long() for name, array in features.items()}
    with torch.no_grad():
        logits = model.eval()(
            input_ids=tensors["token_ids"],
            token_type_ids=tensors["segment_ids"],
            attention_mask=tensors["padding_mask"],
        ).logits.numpy()
    return np.take_along_axis(logits, features["mask_positions"][..., None], axis=1)


def our_logits(checkpoint: Checkpoint, features: dict[str, Any]) -> Any:
    """Return our logits at the masked positions."""
    logits = BertMaskedLM.from_checkpoint(checkpoint)(features, training=False)
    return keras.ops.convert_to_numpy(logits)


def one_head(checkpoint: Checkpoint) -> Checkpoint:
    """Return a checkpoint whose head is like its encoder: Transformers has fields for no other."""
    config = checkpoint.config
    head = {
        "head_hidden_act": config.hidden_act,
        "head_layer_norm_epsilon": config.layer_norm_epsilon,
    }
    return replace(checkpoint, config=replace(config, **head))


def like_transformers(config: EncoderConfig) -> dict[str, Any]:
    """Return the fields of Transformers' config for one of ours."""
    return {
        "vocab_size": config.vocabulary_size,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "hidden_size": config.hidden_dim,
        "intermediate_size": config.intermediate_dim,
        "max_position_embeddings": config.max_sequence_length,
        "type_vocab_size": config.num_segments,
        "hidden_act": config.hidden_act,
        "layer_norm_eps": config.layer_norm_epsilon,
        "tie_word_embeddings": config.tie_word_embeddings,
    }


@given(checkpoint=checkpoints().map(one_head))
@settings(max_examples=25, deadline=None)
def test_transformers_computes_what_we_compute(
    torch: Any, transformers: Any, checkpoint: Checkpoint
) -> None:
    """On what we wrote, tied or not: every weight found, none left over, logits within 1e-4."""
    features = make_features(checkpoint.config)
    with TemporaryDirectory() as parent:
        write_transformers_dir(checkpoint, Path(parent) / "tiny")
        theirs, report = transformers.BertForMaskedLM.from_pretrained(
            Path(parent) / "tiny", output_loading_info=True
        )
    assert not any(report.values()), report
    expected = our_logits(checkpoint, features)
    np.testing.assert_allclose(their_logits(torch, theirs, features), expected, atol=1e-4)
    assert np.abs(expected).max() > 0.5


@given(checkpoint=checkpoints().map(one_head))
@settings(max_examples=25, deadline=None)
def test_we_compute_what_transformers_computes(
    torch: Any, transformers: Any, checkpoint: Checkpoint
) -> None:
    """On what it wrote; an untied decoder's bias is not the head's."""
    features = make_features(checkpoint.config)
    config = transformers.BertConfig(**like_transformers(checkpoint.config))
    model = transformers.BertForMaskedLM(config)
    torch.manual_seed(checkpoint.config.vocabulary_size)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    with TemporaryDirectory() as directory:
        model.save_pretrained(directory)
        (Path(directory) / "vocab.txt").write_text("\n".join(cased_vocabulary()), "utf-8")
        ours = read_checkpoint(Path(directory))
    assert ours.config == replace(checkpoint.config, dropout=0.1)
    expected = their_logits(torch, model, features)
    np.testing.assert_allclose(our_logits(ours, features), expected, atol=1e-4)
    assert np.abs(expected).max() > 0.5


@given(checkpoint=checkpoints(num_layers=1))
@settings(max_examples=25, deadline=None)
def test_transformers_reads_the_tokens_that_we_read(
    transformers: Any, checkpoint: Checkpoint
) -> None:
    """Case, accents, CJK characters and special tokens, whatever the options."""
    with TemporaryDirectory() as parent:
        write_transformers_dir(checkpoint, Path(parent) / "tiny")
        tokenizer = transformers.AutoTokenizer.from_pretrained(Path(parent) / "tiny")
    for text in ("The Café in 北京 is [MASK].", "ab!Ab é É B 北北 aa", "İstanbul 😀"):
        assert tokenizer(text).input_ids == checkpoint.tokenizer.encode(text).ids


def test_transformers_reads_half_precision(
    torch: Any, transformers: Any, tmp_path: Path, embedded_preset_dir: Path
) -> None:
    """It goes by the `dtype` of the config."""
    checkpoint = read_checkpoint(embedded_preset_dir)
    write_transformers_dir(checkpoint, tmp_path / "half", dtype="float16")
    model = transformers.BertForMaskedLM.from_pretrained(tmp_path / "half")
    assert model.dtype == torch.float16
    bias = checkpoint.variables["masked_lm_head/bias"]
    assert model.cls.predictions.bias.detach().numpy().tobytes() == bias.tobytes()

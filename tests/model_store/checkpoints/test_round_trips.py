"""What we write, we read again, bit for bit; and KerasHub reads it as we do."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import keras_hub
import numpy as np
import pytest
from hypothesis import given, settings
from tokenizers import AddedToken, Tokenizer

from model_store.checkpoints import (
    Checkpoint,
    read_checkpoint,
    write_keras_preset,
    write_transformers_dir,
)
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.errors import HeadMissingError
from model_store.masked_lm.families.bert import BertMaskedLM
from random_checkpoints import assert_same, checkpoints, fill_checkpoint, make_features
from tiny_checkpoints import SPECIAL_TOKENS, cased_vocabulary

KERAS_HUB = {
    "hidden_act": "gelu_new",
    "layer_norm_epsilon": 1e-12,
    "head_hidden_act": "gelu",
    "head_layer_norm_epsilon": 1e-5,
    "tie_word_embeddings": True,
}
"""The part of a config that KerasHub's BERT has built in."""

CONFIG = EncoderConfig(600, 2, 2, 8, 12, max_sequence_length=16)

Write = Callable[[Checkpoint, Path], None]


def write_and_read(write: Write, checkpoint: Checkpoint) -> Checkpoint:
    """Return what is read after writing."""
    with TemporaryDirectory() as parent:
        write(checkpoint, Path(parent) / "tiny")
        return read_checkpoint(Path(parent) / "tiny")


def plain(config: EncoderConfig = CONFIG) -> Checkpoint:
    """Return a checkpoint that every format can hold."""
    return fill_checkpoint(config, build_word_piece(cased_vocabulary()))


@given(checkpoints())
@settings(max_examples=40, deadline=None)
def test_a_transformers_dir_is_read_as_it_was_written(checkpoint: Checkpoint) -> None:
    """Tied or not, and a head unlike its encoder too."""
    assert_same(write_and_read(write_transformers_dir, checkpoint), checkpoint)


@given(checkpoints(tie_word_embeddings=True))
@settings(max_examples=40, deadline=None)
def test_a_keras_preset_is_read_as_it_was_written(checkpoint: Checkpoint) -> None:
    """What KerasHub has no words for included."""
    assert_same(write_and_read(write_keras_preset, checkpoint), checkpoint)


@given(checkpoints(**KERAS_HUB))
@settings(max_examples=5, deadline=None)
def test_keras_hub_computes_what_we_compute(checkpoint: Checkpoint) -> None:
    """Its own `from_preset` on a preset of ours: logits within 1e-4."""
    features = make_features(checkpoint.config)
    ours = BertMaskedLM.from_checkpoint(checkpoint)
    with TemporaryDirectory() as parent:
        write_keras_preset(checkpoint, Path(parent) / "tiny")
        theirs = keras_hub.models.BertMaskedLM.from_preset(str(Path(parent) / "tiny"))
    expected = keras.ops.convert_to_numpy(ours(features))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(theirs(features)), expected, atol=1e-4)
    assert np.abs(expected).max() > 0.5


def test_keras_hub_reads_our_tokenizer(tmp_path: Path) -> None:
    """Its entries, its case, and what becomes of accents."""
    write_keras_preset(plain(), tmp_path / "tiny")
    model = keras_hub.models.BertMaskedLM.from_preset(str(tmp_path / "tiny"))
    tokenizer = model.preprocessor.tokenizer
    assert tokenizer.get_vocabulary() == cased_vocabulary()
    assert tokenizer.lowercase
    assert tokenizer.strip_accents
    assert model.preprocessor.sequence_length == 16


def test_a_pooler_that_is_missing_is_written_as_zeros(tmp_path: Path) -> None:
    """KerasHub's backbone has one always; ours reads that there is none."""
    checkpoint = plain()
    kept = {k: v for k, v in checkpoint.variables.items() if not k.startswith("pooled_dense")}
    write_keras_preset(replace(checkpoint, variables=kept), tmp_path / "tiny")
    assert read_checkpoint(tmp_path / "tiny").variables.keys() == kept.keys()
    backbone = keras_hub.models.BertBackbone.from_preset(str(tmp_path / "tiny"))
    pooler = backbone.get_layer("pooled_dense")
    assert not np.asarray(pooler.kernel).any()
    assert not np.asarray(pooler.bias).any()


def test_one_format_after_another_loses_nothing(tmp_path: Path) -> None:
    """KerasHub's head is unlike its encoder, which Transformers has no fields for."""
    checkpoint = plain(replace(CONFIG, **KERAS_HUB))
    write_keras_preset(checkpoint, tmp_path / "a")
    write_transformers_dir(read_checkpoint(tmp_path / "a"), tmp_path / "b")
    write_keras_preset(read_checkpoint(tmp_path / "b"), tmp_path / "c")
    assert_same(read_checkpoint(tmp_path / "c"), checkpoint)


def test_a_tied_decoder_is_stored_once(tmp_path: Path) -> None:
    """The embeddings are most of a small model."""
    write_transformers_dir(plain(), tmp_path / "tiny")
    assert b"decoder" not in (tmp_path / "tiny" / "model.safetensors").read_bytes()


def test_an_untied_decoder_may_equal_the_embeddings(tmp_path: Path) -> None:
    """As it does before training; the config keeps them apart."""
    checkpoint = plain(replace(CONFIG, tie_word_embeddings=False))
    embeddings = checkpoint.variables["token_embedding/embeddings"]
    variables = {**checkpoint.variables, "masked_lm_head/decoder": embeddings}
    write_transformers_dir(replace(checkpoint, variables=variables), tmp_path / "tiny")
    assert not read_checkpoint(tmp_path / "tiny").config.tie_word_embeddings


def test_half_precision_is_the_nearest_there_is(tmp_path: Path) -> None:
    """And `config.json` says so, for Transformers goes by it."""
    checkpoint = plain()
    write_transformers_dir(checkpoint, tmp_path / "tiny", dtype="float16")
    for path, array in read_checkpoint(tmp_path / "tiny").variables.items():
        assert array.dtype == np.float16
        assert array.tolist() == checkpoint.variables[path].astype(np.float16).tolist()
    assert json.loads((tmp_path / "tiny" / "config.json").read_bytes())["dtype"] == "float16"


def test_what_half_precision_cannot_hold_is_refused(tmp_path: Path) -> None:
    """It would become infinite; nothing is left behind."""
    checkpoint = plain()
    checkpoint.variables["masked_lm_head/bias"][7] = 1e5
    with pytest.raises(ValueError, match="masked_lm_head/bias holds numbers that float16 cannot"):
        write_transformers_dir(checkpoint, tmp_path / "tiny", dtype="float16")
    assert list(tmp_path.iterdir()) == []


def test_a_decoder_of_its_own_is_refused_for_keras_hub(tmp_path: Path) -> None:
    """It would answer with the embeddings in its place."""
    checkpoint = plain(replace(CONFIG, tie_word_embeddings=False))
    with pytest.raises(ValueError, match="no decoder apart from its word embeddings"):
        write_keras_preset(checkpoint, tmp_path / "tiny")


def test_special_tokens_spelt_otherwise_are_refused_for_keras_hub(tmp_path: Path) -> None:
    """It asks its vocabulary for `[MASK]`."""
    special = SpecialTokens("<pad>", "<unk>", "<s>", "</s>", "<mask>")
    vocabulary = ["<pad>", "<unk>", "<s>", "</s>", "<mask>", *cased_vocabulary()]
    tokenizer = build_word_piece(vocabulary, special_tokens=special)
    checkpoint = fill_checkpoint(CONFIG, tokenizer)
    with pytest.raises(ValueError, match="more than KerasHub's BertTokenizer"):
        write_keras_preset(checkpoint, tmp_path / "tiny")
    assert_same(write_and_read(write_transformers_dir, checkpoint), checkpoint)


def test_a_tokenizer_with_added_tokens_keeps_them(tmp_path: Path) -> None:
    """A list of entries cannot say that `[NEW]` is never split, so none is written."""
    tokenizer = Tokenizer.from_str(plain().tokenizer.to_json())
    tokenizer.add_special_tokens([AddedToken("[NEW]")])
    checkpoint = fill_checkpoint(CONFIG, SubwordTokenizer(tokenizer, SpecialTokens()))
    write_transformers_dir(checkpoint, tmp_path / "tiny")
    assert_same(read_checkpoint(tmp_path / "tiny"), checkpoint)
    assert not (tmp_path / "tiny" / "vocab.txt").exists()
    with pytest.raises(ValueError, match="more than KerasHub's BertTokenizer"):
        write_keras_preset(checkpoint, tmp_path / "preset")


def test_vocab_txt_says_what_tokenizer_json_says(tmp_path: Path) -> None:
    """For readers that know the one and not the other."""
    write_transformers_dir(plain(), tmp_path / "tiny")
    (tmp_path / "tiny" / "tokenizer.json").unlink()
    assert_same(read_checkpoint(tmp_path / "tiny"), plain())


@pytest.mark.parametrize("write", [write_keras_preset, write_transformers_dir])
@pytest.mark.parametrize("entry", ["a\nb", "a\r"])
def test_an_entry_with_a_line_break_is_refused(tmp_path: Path, write: Write, entry: str) -> None:
    """One a line is the format; nothing is left behind."""
    tokenizer = build_word_piece([*SPECIAL_TOKENS, entry, "a"])
    with pytest.raises(ValueError, match="holds a line break"):
        write(fill_checkpoint(CONFIG, tokenizer), tmp_path / "tiny")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_keras_preset, write_transformers_dir])
def test_a_checkpoint_without_its_head_is_not_written(tmp_path: Path, write: Write) -> None:
    """It could not be read again."""
    checkpoint = plain()
    variables: dict[str, Any] = dict(checkpoint.variables)
    del variables["masked_lm_head/transform/kernel"]
    with pytest.raises(HeadMissingError, match="transform/kernel"):
        write(replace(checkpoint, variables=variables), tmp_path / "tiny")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_keras_preset, write_transformers_dir])
def test_another_format_is_not_overwritten(tmp_path: Path, write: Write) -> None:
    """Readers would take parts of both."""
    write_transformers_dir(plain(), tmp_path / "tiny")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(FileExistsError, match="choose a name that is free"):
        write(plain(), tmp_path / "tiny")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_embedded_preset_goes_through_every_format(
    embedded_preset_dir: Path, tmp_path: Path
) -> None:
    """A real vocabulary of 30,522 entries, and weights in half precision."""
    original = read_checkpoint(embedded_preset_dir)
    write_keras_preset(original, tmp_path / "a")
    write_transformers_dir(read_checkpoint(tmp_path / "a"), tmp_path / "b", dtype="float16")
    copy = read_checkpoint(tmp_path / "b")
    assert copy.config == original.config
    assert copy.tokenizer.vocabulary == original.tokenizer.vocabulary
    for path, array in original.variables.items():
        assert np.array_equal(copy.variables[path], array), path

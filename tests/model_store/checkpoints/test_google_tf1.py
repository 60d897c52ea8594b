"""Google's TensorFlow 1 checkpoints, in Google's own names."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings

from google_checkpoints import write_google_tf1
from model_store.checkpoints import Checkpoint, read_checkpoint
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.errors import HeadMissingError, ModelLoadError
from random_checkpoints import assert_same, checkpoints, fill_checkpoint
from tiny_checkpoints import SPECIAL_TOKENS, cased_vocabulary

GOOGLE = {"layer_norm_epsilon": 1e-12, "head_layer_norm_epsilon": 1e-12}
"""What Google's code has built in."""

CONFIG = EncoderConfig(600, 2, 2, 8, 12, max_sequence_length=16)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    """A small cased model."""
    tokenizer = build_word_piece(cased_vocabulary(), lowercase=False)
    return fill_checkpoint(CONFIG, tokenizer)


@given(checkpoints(**GOOGLE, hidden_act="gelu", head_hidden_act="gelu", tie_word_embeddings=True))
@settings(max_examples=8, deadline=None)
def test_a_checkpoint_is_read_as_it_was_written(checkpoint: Checkpoint) -> None:
    """Every bit of every variable; what training left behind is not read."""
    lowercase = checkpoint.tokenizer.lowercase
    tokenizer = build_word_piece(checkpoint.tokenizer.vocabulary, lowercase=lowercase)
    with TemporaryDirectory() as parent:
        directory = write_google_tf1(Path(parent) / "g", checkpoint, do_lower_case=lowercase)
        assert_same(read_checkpoint(directory), replace(checkpoint, tokenizer=tokenizer))


@pytest.mark.parametrize(
    "left_out", ["cls/", "cls/predictions/output_bias", "cls/predictions/transform/LayerNorm"]
)
def test_a_checkpoint_without_its_head_is_refused(
    checkpoint: Checkpoint, tmp_path: Path, left_out: str
) -> None:
    """All of it, or a part."""

    def leave_out(variables: Mapping[str, Any]) -> dict[str, Any]:
        return {name: array for name, array in variables.items() if not name.startswith(left_out)}

    directory = write_google_tf1(tmp_path / "g", checkpoint, change=leave_out)
    with pytest.raises(HeadMissingError, match="no masked-LM head"):
        read_checkpoint(directory)


def test_a_config_json_has_the_word(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """Beside one, Google's files are leftovers of a conversion."""
    directory = write_google_tf1(tmp_path / "g", checkpoint)
    (directory / "config.json").write_text("{}")
    with pytest.raises(ModelLoadError, match="neither"):
        read_checkpoint(directory)


@pytest.mark.parametrize(
    ("vocabulary", "fields", "lowercase"),
    [
        (["paris", "##s", "é", "北", "[unused0]", "[UNUSED1]", "ᴬ"], {}, True),
        (["paris", "Paris"], {}, False),
        (["paris", "##S"], {}, False),
        (["paris", "É"], {}, False),
        (["paris", "[X"], {}, False),
        (["paris", "Paris"], {"do_lower_case": True}, True),
        (["paris"], {"do_lower_case": False}, False),
    ],
)
def test_the_case_is_that_of_the_config_or_else_of_the_vocabulary(
    tmp_path: Path, vocabulary: list[str], fields: dict[str, Any], lowercase: bool
) -> None:
    """Google's files do not record it; an uncased vocabulary shows it."""
    tokenizer = build_word_piece([*SPECIAL_TOKENS, *vocabulary])
    directory = write_google_tf1(tmp_path / "g", fill_checkpoint(CONFIG, tokenizer), **fields)
    read = read_checkpoint(directory).tokenizer
    assert read.lowercase is lowercase
    assert read.strip_accents is None


def test_a_real_uncased_vocabulary_is_known_as_one(
    embedded_preset_dir: Path, tmp_path: Path
) -> None:
    """The 30,522 entries of Google's English one."""
    embedded = read_checkpoint(embedded_preset_dir)
    config = replace(CONFIG, vocabulary_size=30522)
    tiny = fill_checkpoint(config, embedded.tokenizer)
    assert read_checkpoint(write_google_tf1(tmp_path / "g", tiny)).tokenizer.lowercase


@pytest.mark.parametrize("hidden_act", ["gelu", "relu"])
def test_the_activation_is_that_of_transformers(
    checkpoint: Checkpoint, tmp_path: Path, hidden_act: str
) -> None:
    """`gelu` is the erf form, as in every conversion of these weights."""
    directory = write_google_tf1(tmp_path / "g", checkpoint, hidden_act=hidden_act)
    config = read_checkpoint(directory).config
    assert (config.hidden_act, config.head_hidden_act) == (hidden_act, hidden_act)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"hidden_act": "prelu"}, "bert_config.json asks for the activation 'prelu'"),
        ({"hidden_act": ["gelu"]}, "is unknown"),
        ({"num_attention_heads": 3}, "bert_config.json cannot be used: hidden_dim 8"),
        ({"num_hidden_layers": 3}, "lacks transformer_layer_2/query/kernel"),
        ({"intermediate_size": 13}, r"\(8, 12\) .* \(8, 13\)"),
        ({"do_lower_case": "yes"}, "tokenizer cannot be used"),
        ({"vocab_size": 10}, "The tokenizer has"),
    ],
)
def test_a_config_of_another_model_is_refused(
    checkpoint: Checkpoint, tmp_path: Path, fields: dict[str, Any], sentence: str
) -> None:
    """Each with its own reason."""
    directory = write_google_tf1(tmp_path / "g", checkpoint, **fields)
    with pytest.raises(ModelLoadError, match=sentence):
        read_checkpoint(directory)


@pytest.mark.parametrize(
    "name", ["bert_model.ckpt.index", "bert_model.ckpt.data-00000-of-00001", "vocab.txt"]
)
@pytest.mark.parametrize("content", [None, b"", b"\xff" * 50], ids=["missing", "empty", "other"])
def test_a_broken_file_is_named(
    checkpoint: Checkpoint, tmp_path: Path, name: str, content: bytes | None
) -> None:
    """Missing, empty, or of something else."""
    directory = write_google_tf1(tmp_path / "g", checkpoint)
    if content is None:
        (directory / name).unlink()
    else:
        (directory / name).write_bytes(content)
    with pytest.raises(ModelLoadError, match=r"bert_model\.ckpt|vocab\.txt|tokenizer"):
        read_checkpoint(directory)


def test_without_tensorflow_the_sentence_says_what_to_do(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JAX and PyTorch serve without it."""
    directory = write_google_tf1(tmp_path / "g", checkpoint)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ModelLoadError, match="not installed; install tensorflow"):
        read_checkpoint(directory)


def test_other_formats_do_not_import_tensorflow(tiny_preset_dir: Path) -> None:
    """It takes seconds, and is not there under every backend."""
    script = (
        "import sys; from pathlib import Path; from model_store.checkpoints import *;"
        "read_checkpoint(Path(sys.argv[1])); assert 'tensorflow' not in sys.modules"
    )
    command = [sys.executable, "-c", script, str(tiny_preset_dir)]
    run = subprocess.run(  # noqa: S603  # our own command
        command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr

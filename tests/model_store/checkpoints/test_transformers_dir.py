"""Transformers directories: every spelling that exists is read, and nothing is guessed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from model_store.checkpoints import read_checkpoint
from model_store.errors import HeadMissingError, ModelLoadError
from model_store.masked_lm.families.bert import BertMaskedLM

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def directory(tiny_preset_dir: Path, tmp_path: Path) -> Path:
    """A copy of the small checkpoint, free to be changed."""
    return Path(shutil.copytree(tiny_preset_dir, tmp_path / "copy"))


def change_json(path: Path, **fields: Any) -> None:
    """Set fields of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **fields}), "utf-8")


def change_tensors(directory: Path, change: Change) -> None:
    """Change the tensors of a checkpoint in place."""
    path = directory / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def variables(directory: Path) -> dict[str, list[Any]]:
    """Return the weights of the model that a directory becomes."""
    model = BertMaskedLM.from_checkpoint(read_checkpoint(directory))
    return {weight.path: np.asarray(weight).tolist() for weight in model.weights}


def rename(old: str, new: str) -> Change:
    """Return a change that respells tensor names."""

    def change(tensors: dict[str, Any]) -> None:
        for name in [name for name in tensors if old in name]:
            tensors[name.replace(old, new)] = tensors.pop(name)

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda t: (
                rename("LayerNorm.weight", "LayerNorm.gamma")(t),
                rename("LayerNorm.bias", "LayerNorm.beta")(t),
            ),
            id="gamma and beta",
        ),
        pytest.param(
            rename("cls.predictions.bias", "cls.predictions.decoder.bias"), id="decoder.bias"
        ),
        pytest.param(
            lambda t: t.update(
                {"cls.predictions.decoder.weight": t["bert.embeddings.word_embeddings.weight"]}
            ),
            id="a copy of the tied decoder",
        ),
        pytest.param(
            lambda t: t.update({"bert.pooler.dense.weight": np.ones((32, 32), np.float32)}),
            id="a pooler",
        ),
    ],
)
def test_every_spelling_gives_the_same_model(directory: Path, change: Change) -> None:
    """Old names, copies and parts of other tasks change nothing."""
    expected = variables(directory)
    change_tensors(directory, change)
    assert variables(directory) == expected


def test_a_decoder_of_its_own_is_used(directory: Path) -> None:
    """What is stored counts: a decoder unlike the embeddings is no copy of them."""

    def add_decoder(tensors: dict[str, Any]) -> None:
        embeddings = tensors["bert.embeddings.word_embeddings.weight"]
        tensors["cls.predictions.decoder.weight"] = np.flip(embeddings, 0).copy()

    change_tensors(directory, add_decoder)
    model = BertMaskedLM.from_checkpoint(read_checkpoint(directory))
    embeddings = np.asarray(model.backbone.token_embedding.embeddings)
    assert np.asarray(model.masked_lm_head.decoder).tolist() == np.flip(embeddings, 0).tolist()


@pytest.mark.parametrize("tied", [True, False])
def test_the_bias_of_the_decoder_counts_wherever_it_is_stored(directory: Path, tied: bool) -> None:
    """Transformers adds that one, and no other."""
    embeddings = "bert.embeddings.word_embeddings.weight"
    change_json(directory / "config.json", tie_word_embeddings=tied)

    def add_decoder(tensors: dict[str, Any]) -> None:
        tensors["cls.predictions.decoder.weight"] = tensors[embeddings].copy()
        tensors["cls.predictions.decoder.bias"] = np.full_like(tensors["cls.predictions.bias"], 3)

    change_tensors(directory, add_decoder)
    checkpoint = read_checkpoint(directory)
    assert checkpoint.config.tie_word_embeddings is tied
    assert set(checkpoint.variables["masked_lm_head/bias"].tolist()) == {3}


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ml_dtypes.bfloat16])
def test_every_precision_is_read(directory: Path, dtype: Any) -> None:
    """Weights are widened to float32, never reinterpreted."""
    expected = variables(directory)

    def cast(tensors: dict[str, Any]) -> None:
        tensors.update({name: tensor.astype(dtype) for name, tensor in tensors.items()})

    change_tensors(directory, cast)
    for path, values in variables(directory).items():
        np.testing.assert_allclose(values, expected[path], rtol=1e-2, atol=1e-2)


def test_a_tokenizer_json_is_read_like_the_vocabulary(
    embedded_preset_dir: Path, tmp_path: Path
) -> None:
    """Both forms of the embedded preset's tokenizer give the same ids."""
    for name in ("config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json"):
        (tmp_path / name).symlink_to(embedded_preset_dir / name)
    text = "Él don't KNOW 北京 [MASK]-ing 😀 unaffable"
    from_json = read_checkpoint(embedded_preset_dir).tokenizer.encode(text)
    from_vocabulary = read_checkpoint(tmp_path).tokenizer.encode(text)
    assert from_json.ids == from_vocabulary.ids
    assert from_json.offsets == from_vocabulary.offsets


def test_the_tokenizer_config_overrules_the_tokenizer_json(
    embedded_preset_dir: Path, tmp_path: Path
) -> None:
    """As in Transformers."""
    copy = Path(shutil.copytree(embedded_preset_dir, tmp_path / "copy"))
    change_json(copy / "tokenizer_config.json", do_lower_case=False)
    assert "[UNK]" in read_checkpoint(copy).tokenizer.encode("Paris").tokens


def test_special_tokens_may_be_objects(directory: Path) -> None:
    """Transformers writes them both ways."""
    change_json(directory / "tokenizer_config.json", mask_token={"content": "[MASK]"})
    assert read_checkpoint(directory).tokenizer.special_tokens.mask == "[MASK]"


@pytest.mark.parametrize(
    "part", ["transform.dense.weight", "transform.dense.bias", "transform.LayerNorm.weight", "bias"]
)
def test_a_checkpoint_without_a_part_of_the_head_is_refused(directory: Path, part: str) -> None:
    """A random head must never answer."""
    change_tensors(directory, lambda tensors: tensors.pop(f"cls.predictions.{part}"))
    with pytest.raises(HeadMissingError, match="no masked-LM head"):
        read_checkpoint(directory)


def test_an_untied_model_without_its_decoder_is_refused(directory: Path) -> None:
    """The embeddings are no stand-in for a decoder that the config says is another."""
    change_json(directory / "config.json", tie_word_embeddings=False)
    with pytest.raises(HeadMissingError, match="masked_lm_head/decoder"):
        read_checkpoint(directory)


def test_a_checkpoint_without_a_part_of_the_backbone_is_refused(directory: Path) -> None:
    """The first missing variable is named."""
    change_tensors(directory, lambda tensors: tensors.pop("bert.encoder.layer.1.output.dense.bias"))
    with pytest.raises(ModelLoadError, match="transformer_layer_1/feedforward_output/bias"):
        read_checkpoint(directory)


def test_a_wrong_shape_is_refused(directory: Path) -> None:
    """With both shapes, and before anything is assigned."""
    change_json(directory / "config.json", intermediate_size=48)
    with pytest.raises(ModelLoadError, match=r"\(32, 64\) .* \(32, 48\)"):
        read_checkpoint(directory)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model_type": "gpt2"}, "'gpt2'"),
        ({"position_embedding_type": "relative_key"}, "relative positions"),
        ({"is_decoder": True}, "decoder"),
        ({"hidden_act": "prelu"}, "'prelu'"),
        ({"hidden_act": ["gelu"]}, "is unknown"),
        ({"fillmask": "yes"}, "no JSON object"),
        ({"fillmask": {"head_hidden_act": 1}}, "head_hidden_act is 1"),
        ({"hidden_size": "wide"}, "hidden_dim is 'wide'"),
        ({"hidden_size": True}, "hidden_dim is True"),
        ({"layer_norm_eps": float("nan")}, "layer_norm_epsilon is nan"),
        ({"num_attention_heads": 5}, "does not divide by 5 heads"),
        ({"num_hidden_layers": 3}, "lacks transformer_layer_2/query/kernel"),
        ({"num_hidden_layers": 10**9}, "the most is 1000"),
        ({"max_position_embeddings": 10**9}, "position_embedding"),
        ({"vocab_size": 10}, "The tokenizer has"),
        ({"model_type": None}, "None"),
    ],
)
def test_a_config_of_another_model_is_refused(
    directory: Path, fields: dict[str, Any], sentence: str
) -> None:
    """Each with its own reason."""
    change_json(directory / "config.json", **fields)
    with pytest.raises(ModelLoadError, match=sentence):
        read_checkpoint(directory)


def test_a_config_that_lacks_a_field_is_refused(directory: Path) -> None:
    """The field is named."""
    config = json.loads((directory / "config.json").read_text("utf-8"))
    del config["hidden_size"]
    (directory / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelLoadError, match="'hidden_size'"):
        read_checkpoint(directory)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_broken_file_is_named(directory: Path, name: str, content: bytes) -> None:
    """Whatever it holds instead of what it should."""
    (directory / name).write_bytes(content)
    with pytest.raises(ModelLoadError, match=name):
        read_checkpoint(directory)


def test_a_truncated_weight_file_is_refused(directory: Path) -> None:
    """A download that broke off is no model."""
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelLoadError, match="fetch it again"):
        read_checkpoint(directory)


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "model.safetensors"])
def test_a_missing_file_is_named(directory: Path, name: str) -> None:
    """The sentence says which."""
    (directory / name).unlink()
    with pytest.raises(ModelLoadError, match=name):
        read_checkpoint(directory)


def test_another_tokenizer_is_refused(directory: Path) -> None:
    """MeCab is no WordPiece: it would be silently wrong."""
    change_json(directory / "tokenizer_config.json", tokenizer_class="BertJapaneseTokenizer")
    with pytest.raises(ModelLoadError, match="BertJapaneseTokenizer"):
        read_checkpoint(directory)


def test_a_tokenizer_json_that_is_none_is_refused(directory: Path) -> None:
    """The library's own reason is passed on."""
    (directory / "tokenizer.json").write_text('{"version": "9"}', "utf-8")
    with pytest.raises(ModelLoadError, match="tokenizer cannot be used"):
        read_checkpoint(directory)


def test_a_config_of_no_format_is_refused(directory: Path) -> None:
    """Neither Transformers' nor KerasHub's."""
    (directory / "config.json").write_text("{}", "utf-8")
    with pytest.raises(ModelLoadError, match="neither"):
        read_checkpoint(directory)

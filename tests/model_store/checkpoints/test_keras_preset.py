"""KerasHub presets, written by KerasHub itself."""

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import keras
import keras_hub
import numpy as np
import pytest

from model_store.checkpoints import read_checkpoint
from model_store.errors import HeadMissingError, ModelLoadError
from model_store.masked_lm.families.bert import BertMaskedLM
from tiny_checkpoints import cased_vocabulary

SHAPE = {
    "num_layers": 12,  # names count past ten
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 16,
    "max_sequence_length": 24,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A preset with random weights, biases too, and KerasHub's model of it."""
    vocabulary = cased_vocabulary()
    backbone = keras_hub.models.BertBackbone(vocabulary_size=len(vocabulary), **SHAPE)
    tokenizer = keras_hub.models.BertTokenizer(vocabulary=vocabulary, lowercase=True)
    preprocessor = keras_hub.models.BertMaskedLMPreprocessor(tokenizer, sequence_length=24)
    model = keras_hub.models.BertMaskedLM(backbone, preprocessor)
    rng = np.random.default_rng(0)
    model.set_weights([rng.standard_normal(w.shape) * 0.5 for w in model.get_weights()])
    directory = tmp_path_factory.mktemp("keras") / "tiny"
    model.save_to_preset(str(directory))
    return directory, model


@pytest.fixture
def directory(written: tuple[Path, Any], tmp_path: Path) -> Path:
    """A copy of the preset, free to be changed."""
    return Path(shutil.copytree(written[0], tmp_path / "copy"))


def test_logits_equal_those_of_keras_hub(written: tuple[Path, Any]) -> None:
    """Within 1e-4, padding and second segments included."""
    directory, theirs = written
    ours = BertMaskedLM.from_checkpoint(read_checkpoint(directory))
    rng = np.random.default_rng(1)
    features = {
        "token_ids": rng.integers(0, 500, (4, 24)),
        "segment_ids": rng.integers(0, 2, (4, 24)),
        "padding_mask": (np.arange(24) < [[24], [9], [1], [17]]).astype("int32"),
        "mask_positions": rng.integers(0, 24, (4, 3)),
    }
    expected = keras.ops.convert_to_numpy(theirs(features))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(ours(features)), expected, atol=1e-4)
    assert np.abs(expected).max() > 1


def test_the_tokenizer_follows_the_preset(written: tuple[Path, Any]) -> None:
    """Lowercased as the preset says, accents dropped as BERT does."""
    tokenizer = read_checkpoint(written[0]).tokenizer
    assert tokenizer.encode("THE café").tokens == [
        "[CLS]",
        "the",
        "c",
        "##a",
        "##f",
        "##e",
        "[SEP]",
    ]


def test_a_backbone_alone_is_refused(directory: Path) -> None:
    """KerasHub itself would put a random head on it without a word."""
    (directory / "task.weights.h5").unlink()
    with pytest.raises(HeadMissingError, match="backbone without a masked-LM head"):
        read_checkpoint(directory)


def test_another_task_is_refused(directory: Path) -> None:
    """A classifier has weights of its own, but no masked-LM head."""
    task = json.loads((directory / "task.json").read_text("utf-8"))
    (directory / "task.json").write_text(
        json.dumps({**task, "class_name": "BertTextClassifier"}), "utf-8"
    )
    with pytest.raises(HeadMissingError, match="BertTextClassifier"):
        read_checkpoint(directory)


def test_a_head_without_its_variables_is_refused(directory: Path) -> None:
    """The file is there, but a variable is not."""
    with h5py.File(directory / "task.weights.h5", "a") as file:
        del file["layers/masked_lm_head/_intermediate_dense/vars/1"]
    with pytest.raises(HeadMissingError, match="transform/bias"):
        read_checkpoint(directory)


def test_a_backbone_without_a_variable_is_refused(directory: Path) -> None:
    """The variable is named."""
    with h5py.File(directory / "model.weights.h5", "a") as file:
        del file["layers/transformer_encoder_11/_feedforward_output_dense/vars/1"]
    with pytest.raises(ModelLoadError, match="transformer_layer_11/feedforward_output/bias"):
        read_checkpoint(directory)


def test_weights_in_other_files_are_not_followed(directory: Path) -> None:
    """HDF5 can point out of a file; a preset is only what its directory holds."""
    name = "layers/masked_lm_head/vars/0"
    shutil.copy(directory / "task.weights.h5", directory / "elsewhere.h5")
    with h5py.File(directory / "task.weights.h5", "a") as file:
        del file[name]
        file[name] = h5py.ExternalLink(str(directory / "elsewhere.h5"), name)
    with pytest.raises(HeadMissingError, match="masked_lm_head/bias"):
        read_checkpoint(directory)


@pytest.mark.parametrize("name", ["model.weights.h5", "task.weights.h5"])
def test_a_broken_weight_file_is_named(directory: Path, name: str) -> None:
    """Cut short."""
    path = directory / name
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelLoadError, match=name):
        read_checkpoint(directory)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"class_name": "GemmaBackbone"}, "GemmaBackbone.*use a preset of one of BertBackbone"),
        ({"config": {}}, "vocabulary_size"),
        ({"fillmask": []}, "'fillmask' of config.json is no JSON object"),
        ({"fillmask": {"hidden_act": "swish"}}, "hidden_act is 'swish'"),
        ({"fillmask": {"head_layer_norm_epsilon": -1}}, "head_layer_norm_epsilon is -1"),
        ({"fillmask": {"strip_accents": "yes"}}, "tokenizer cannot be used"),
    ],
)
def test_a_config_of_another_model_is_refused(
    directory: Path, change: dict[str, Any], sentence: str
) -> None:
    """Each with its own reason."""
    path = directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}), "utf-8")
    with pytest.raises(ModelLoadError, match=sentence):
        read_checkpoint(directory)


def test_a_width_unlike_the_weights_is_refused(directory: Path) -> None:
    """With both shapes, the heads of attention joined."""
    path = directory / "config.json"
    config = json.loads(path.read_text("utf-8"))
    config["config"] |= {"hidden_dim": 10, "num_heads": 5}
    path.write_text(json.dumps(config), "utf-8")
    with pytest.raises(ModelLoadError, match=r"shape \(566, 8\) .* \(566, 10\)"):
        read_checkpoint(directory)


@pytest.mark.parametrize("shape", [(), (8,), (0, 0, 0), (2, 2, 2, 2, 4)])
def test_a_projection_of_another_shape_is_refused(directory: Path, shape: tuple[int, ...]) -> None:
    """Whatever number of axes it has."""
    name = "layers/transformer_encoder/_self_attention_layer/query_dense/vars/0"
    with h5py.File(directory / "model.weights.h5", "a") as file:
        del file[name]
        file[name] = np.zeros(shape, np.float32)
    with pytest.raises(ModelLoadError, match="transformer_layer_0/query/kernel has the shape"):
        read_checkpoint(directory)


def test_a_broken_vocabulary_is_refused(directory: Path) -> None:
    """An entry twice would shift every id after it."""
    path = directory / "assets" / "tokenizer" / "vocabulary.txt"
    path.write_text(path.read_text("utf-8") + "the\n", "utf-8")
    with pytest.raises(ModelLoadError, match="'the' stands twice"):
        read_checkpoint(directory)

"""KerasHub's presets of other families than BERT, written by KerasHub itself."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from keras_families import CASES, LENGTH, Presets
from model_store.checkpoints import read_checkpoint, read_family, read_preprocessor_config
from model_store.checkpoints.transformers.families import find_family
from model_store.errors import HeadMissingError, ModelLoadError
from model_store.masked_lm.families import MaskedLM


@pytest.mark.parametrize("name", CASES)
def test_logits_equal_those_of_keras_hub(keras_presets: Presets, name: str) -> None:
    """Within 1e-4; KerasHub's ESM is asked without padding, which it attends to."""
    directory, theirs = keras_presets[name]
    checkpoint = read_checkpoint(directory)
    ours = MaskedLM.from_checkpoint(checkpoint)
    rng = np.random.default_rng(1)
    is_padded = "padding_mask" in CASES[name].inputs
    lengths = [[LENGTH], [9], [1], [17]] if is_padded else [[LENGTH]] * 4
    features = {
        "token_ids": rng.integers(2, checkpoint.config.vocabulary_size, (4, LENGTH)),
        "segment_ids": rng.integers(0, 2, (4, LENGTH)),
        "padding_mask": (np.arange(LENGTH) < lengths).astype("int32"),
        "mask_positions": rng.integers(0, LENGTH, (4, 3)),
    }
    asked = {name: features[name] for name in CASES[name].inputs}
    expected = keras.ops.convert_to_numpy(theirs(asked))
    taken = {name: features[name] for name in ours.input}
    np.testing.assert_allclose(keras.ops.convert_to_numpy(ours(taken)), expected, atol=1e-4)
    assert type(ours).__name__ == type(theirs).__name__
    assert np.abs(expected).max() > 1
    assert {w.path for w in ours.weights} <= checkpoint.variables.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_preset_says_its_family_and_its_preprocessing(keras_presets: Presets, name: str) -> None:
    """By the names of its classes."""
    directory, _ = keras_presets[name]
    expected = "roberta" if name == "xlm-roberta" else name.removesuffix(", odd")
    assert read_family(directory) == read_checkpoint(directory).config.family == expected
    settings = read_preprocessor_config(directory)
    assert settings is not None
    assert settings.sequence_length == LENGTH


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("distilbert", {"dim": 8, "hidden_dim": 16, "n_heads": 2, "n_layers": 2}),
        ("roberta", {"max_position_embeddings": LENGTH + 2, "type_vocab_size": 0}),
        (
            "albert",
            {
                "num_hidden_groups": 2,
                "inner_group_num": 2,
                "num_hidden_layers": 4,
                "embedding_size": 6,
            },
        ),
        (
            "esm",
            {
                "max_position_embeddings": LENGTH + 2,
                "position_embedding_type": "rotary",
                "tie_word_embeddings": False,
            },
        ),
    ],
)
def test_a_config_is_that_of_the_same_model_from_transformers(
    keras_presets: Presets, name: str, changes: dict[str, Any]
) -> None:
    """But for the epsilon of the head, and padding's own position, which KerasHub leaves out."""
    ours = read_checkpoint(keras_presets[name][0]).config
    epsilon = {"roberta": 1e-5}.get(name, 1e-12)
    raw = {
        "vocab_size": ours.vocabulary_size,
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": LENGTH,
        "hidden_dropout_prob": ours.dropout,
        "dropout": ours.dropout,
        "layer_norm_eps": epsilon,
        "pad_token_id": 1,
        **changes,
    }
    theirs = find_family({"model_type": name}).read_config(raw, name != "esm")
    epsilon = ours.head_layer_norm_epsilon
    assert ours == replace(theirs, head_layer_norm_epsilon=epsilon, skipped_token=None)


@pytest.mark.parametrize("keras_copy", CASES, indirect=True)
def test_a_backbone_alone_is_refused(keras_copy: Path) -> None:
    """With the class that would have a head."""
    (keras_copy / "task.weights.h5").unlink()
    with pytest.raises(HeadMissingError, match=r"use one that \w+Masked\w+\.save_to_preset"):
        read_checkpoint(keras_copy)


@pytest.mark.parametrize("keras_copy", ["roberta"], indirect=True)
@pytest.mark.parametrize("task", ["RobertaTextClassifier", "BertMaskedLM", None])
def test_another_task_is_refused(keras_copy: Path, task: Any) -> None:
    """Another family's is another one too."""
    path = keras_copy / "task.json"
    described = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**described, "class_name": task}), "utf-8")
    with pytest.raises(HeadMissingError, match="use a RobertaMaskedLM"):
        read_checkpoint(keras_copy)


@pytest.mark.parametrize(
    ("keras_copy", "fields", "sentence"),
    [
        ("albert", {"num_groups": 3}, "num_layers 4 does not divide by 3 groups"),
        ("albert", {"num_inner_repetitions": 0}, "num_inner_repetitions is 0"),
        ("albert", {"embedding_dim": None}, "embedding_dim is None"),
        ("albert", {"num_layers": 10**9}, "more than 1000"),
        ("esm", {"position_embedding_type": "absolute"}, "learnt positions"),
        ("esm", {"activation": "gelu_new"}, "activation is 'gelu_new'"),
        ("esm", {"activation": {"class_name": "x"}}, "activation is"),
        ("esm", {"pad_token_id": 0}, "pad_token_id is 0 and the tokenizer's 1"),
        ("esm", {"max_wavelength": "x"}, "max_wavelength is 'x'"),
        ("roberta", {"num_heads": 3}, "does not divide by 3 heads"),
        ("distilbert", {"dropout": "x"}, "dropout is 'x'"),
    ],
    indirect=["keras_copy"],
)
def test_a_config_that_is_none_of_its_family_is_refused(
    keras_copy: Path, fields: dict[str, Any], sentence: str
) -> None:
    """By the field."""
    path = keras_copy / "config.json"
    described = json.loads(path.read_text("utf-8"))
    described["config"] |= fields
    path.write_text(json.dumps(described), "utf-8")
    with pytest.raises(ModelLoadError, match=sentence):
        read_checkpoint(keras_copy)


@pytest.mark.parametrize("keras_copy", ["esm"], indirect=True)
def test_a_head_without_its_projection_is_refused(keras_copy: Path) -> None:
    """ESM's is not the token embeddings."""
    with h5py.File(keras_copy / "task.weights.h5", "a") as file:
        del file["layers/masked_lm_head/vars/0"]
    with pytest.raises(HeadMissingError, match="masked_lm_head/decoder"):
        read_checkpoint(keras_copy)

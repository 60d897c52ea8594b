"""What is saved comes back: the preprocessor, the precision, the optimizer, and adapted weights."""

import json
import warnings
from pathlib import Path
from typing import Any

import keras
import keras_hub
import numpy as np
import pytest

from model_store.checkpoints import read_checkpoint
from model_store.errors import ModelLoadError
from model_store.masked_lm.families.bert import (
    BertBackbone,
    BertMaskedLM,
    BertMaskedLMPreprocessor,
    BertTokenizer,
)

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "dog", "came", "home"]
TEXTS = ["the cat came home", "the dog came home"]
SETTINGS = {
    "sequence_length": 12,
    "truncate": "waterfall",
    "mask_selection_rate": 0.5,
    "mask_selection_length": 4,
    "mask_token_rate": 0.7,
    "random_token_rate": 0.2,
}


def make_backbone(**options: Any) -> BertBackbone:
    """Return a small encoder of KerasHub's kind, with random weights."""
    sizes = {"num_layers": 2, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 12}
    defaults = {"vocabulary_size": 10, **sizes, "max_sequence_length": 16, "dropout": 0.0}
    return BertBackbone(**{**defaults, "hidden_act": "gelu_new", **options})


def make_model(preprocessor: Any = None, **options: Any) -> BertMaskedLM:
    """Return a small masked LM of KerasHub's kind."""
    preprocessor = preprocessor or BertMaskedLMPreprocessor(
        BertTokenizer(VOCABULARY, lowercase=True), **SETTINGS, seed=0
    )
    return BertMaskedLM(make_backbone(**options), preprocessor, head_layer_norm_epsilon=1e-5)


def features(model: BertMaskedLM) -> dict[str, Any]:
    """Return a batch for a model."""
    return BertMaskedLMPreprocessor(model.preprocessor.tokenizer, **SETTINGS, seed=1)(TEXTS)[0]


def logits(model: BertMaskedLM) -> np.ndarray[Any, Any]:
    """Return what a model answers to the same batch."""
    return keras.ops.convert_to_numpy(model(features(model)))


@pytest.fixture(scope="module")
def model() -> BertMaskedLM:
    """A model that no test changes."""
    return make_model()


def save(model: Any, directory: Path) -> Any:
    """Return a model as a `.keras` file brings it back; a warning is an error."""
    model.save(directory / "model.keras")
    return keras.models.load_model(directory / "model.keras")


def test_a_keras_file_keeps_the_preprocessor(model: BertMaskedLM, tmp_path: Path) -> None:
    """The vocabulary is in the file, and texts train at once."""
    again = save(model, tmp_path)
    assert type(again) is BertMaskedLM
    assert again.preprocessor.get_config() == model.preprocessor.get_config()
    assert again.preprocessor.tokenizer("the cat").tolist() == [5, 6]
    np.testing.assert_allclose(logits(again), logits(model), atol=1e-6)
    again.compile(run_eagerly=True)
    again.fit(TEXTS, verbose=0)


@pytest.mark.parametrize("dtype", ["bfloat16", "mixed_bfloat16", "float16"])
def test_a_keras_file_keeps_the_precision(dtype: str, tmp_path: Path) -> None:
    """Of every layer."""
    again = save(make_model(dtype=dtype), tmp_path)
    assert again.dtype_policy.name == again.backbone.dtype_policy.name == dtype
    assert again.masked_lm_head.dtype_policy.name == dtype


def test_a_keras_file_keeps_the_optimizer_and_its_state(tmp_path: Path) -> None:
    """SGD with momentum goes on where it was."""
    model = make_model()
    model.compile(keras.optimizers.SGD(0.125, momentum=0.5), weighted_metrics=["accuracy"])
    model.train_on_batch(TEXTS)
    again = save(model, tmp_path)
    assert type(again.optimizer) is keras.optimizers.SGD
    for before, after in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))
    assert len(again.optimizer.variables) > 2


def test_a_model_that_was_not_compiled_comes_back(tmp_path: Path) -> None:
    """And its answers are the same."""
    parts = make_model()
    model = BertMaskedLM(parts.backbone, parts.preprocessor, compile=False)
    assert not model.compiled
    np.testing.assert_allclose(logits(save(model, tmp_path)), logits(model), atol=1e-6)


def test_from_config_keeps_precision_and_preprocessor() -> None:
    """The weights are random."""
    model = make_model(dtype="mixed_bfloat16")
    again = BertMaskedLM.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert again.backbone.dtype_policy.name == "mixed_bfloat16"
    assert not np.array_equal(logits(again), logits(model))


def test_a_clone_is_tied_as_its_model_is(model: BertMaskedLM) -> None:
    """Keras clones layer by layer: the new head shares the new embeddings, and only these."""
    clone = keras.models.clone_model(model)
    assert [weight.path for weight in clone.weights] == [weight.path for weight in model.weights]
    assert not {id(weight) for weight in clone.weights} & {id(weight) for weight in model.weights}
    clone.set_weights(model.get_weights())
    batch = features(model)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(clone(batch)), logits(model), atol=1e-6)


def test_a_preset_keeps_the_preprocessors_settings(model: BertMaskedLM, tmp_path: Path) -> None:
    """KerasHub reads the same."""
    model.save_to_preset(tmp_path / "preset")
    ours = BertMaskedLM.from_preset(tmp_path / "preset").preprocessor
    alone = BertMaskedLMPreprocessor.from_preset(tmp_path / "preset")
    theirs = keras_hub.models.BertMaskedLM.from_preset(str(tmp_path / "preset")).preprocessor
    for preprocessor in (ours, alone, theirs):
        assert {name: getattr(preprocessor, name) for name in SETTINGS} == SETTINGS
    shorter = BertMaskedLMPreprocessor.from_preset(tmp_path / "preset", sequence_length=8)
    assert shorter.sequence_length == 8
    assert shorter.truncate == "waterfall"


def test_a_keras_hub_preset_says_how_its_texts_are_preprocessed(tmp_path: Path) -> None:
    """Written by KerasHub itself."""
    tokenizer = keras_hub.models.BertTokenizer(VOCABULARY, lowercase=True)
    preprocessor = keras_hub.models.BertMaskedLMPreprocessor(tokenizer, **SETTINGS)
    backbone = keras_hub.models.BertBackbone(10, 1, 1, 4, 4, max_sequence_length=16)
    keras_hub.models.BertMaskedLM(backbone, preprocessor).save_to_preset(str(tmp_path / "preset"))
    ours = BertMaskedLM.from_preset(tmp_path / "preset")
    assert {name: getattr(ours.preprocessor, name) for name in SETTINGS} == SETTINGS


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [("truncate", 3, "truncate of preprocessor.json is 3"), ("mask_token_rate", 7.5, "7.5")],
)
def test_broken_settings_are_refused(
    setting: str, value: Any, message: str, model: BertMaskedLM, tmp_path: Path
) -> None:
    """They are no reason not to serve the preset."""
    model.save_to_preset(tmp_path / "preset")
    path = tmp_path / "preset" / "preprocessor.json"
    content = json.loads(path.read_text("utf-8"))
    content["config"][setting] = value
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ModelLoadError, match=message):
        BertMaskedLM.from_preset(tmp_path / "preset")
    read_checkpoint(tmp_path / "preset")


def test_adapted_weights_are_merged_into_a_preset(tmp_path: Path) -> None:
    """KerasHub reads the very model that was trained."""
    model = make_model()
    rng = np.random.default_rng(0)
    for weight in model.weights:  # large ones, for attention to matter
        weight.assign(rng.normal(0, 0.7, weight.shape))
    before = logits(model)
    model.backbone.enable_lora(2)
    model.compile(keras.optimizers.SGD(0.5), run_eagerly=True)
    model.masked_lm_head.trainable = False
    model.fit(TEXTS, epochs=8, verbose=0)
    trained = logits(model)
    assert np.abs(trained - before).max() > 1e-2
    model.save_to_preset(tmp_path / "preset")
    ours = BertMaskedLM.from_preset(tmp_path / "preset")
    np.testing.assert_allclose(logits(ours), trained, atol=1e-5)
    theirs = keras_hub.models.BertMaskedLM.from_preset(str(tmp_path / "preset"))
    answers = keras.ops.convert_to_numpy(theirs(features(model)))
    np.testing.assert_allclose(answers, trained, atol=1e-5)


def test_adapted_weights_are_saved_apart(tmp_path: Path) -> None:
    """As KerasHub does: the small matrices alone."""
    model = make_model()
    with pytest.raises(ValueError, match="call enable_lora"):
        model.backbone.save_lora_weights(tmp_path / "a.lora.h5")
    model.backbone.enable_lora(2)
    adapted = [v for v in model.backbone.trainable_variables if "lora" in v.name]
    assert len(adapted) == 8
    for variable in adapted:
        variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    model.backbone.save_lora_weights(tmp_path / "a.lora.h5")
    again = make_model()
    again.backbone.set_weights(
        [w.numpy() for w in model.backbone.weights if "lora" not in w.name]
        if keras.config.backend() == "tensorflow"
        else [np.asarray(w) for w in model.backbone.weights if "lora" not in w.name]
    )
    again.masked_lm_head.set_weights([np.asarray(w) for w in model.masked_lm_head.weights])
    assert np.abs(logits(again) - logits(model)).max() > 1e-3
    again.backbone.load_lora_weights(tmp_path / "a.lora.h5")
    np.testing.assert_allclose(logits(again), logits(model), atol=1e-6)
    other = make_model().backbone
    other.enable_lora(3)
    with pytest.raises(ValueError, match="has rank 2 and the model 3"):
        other.load_lora_weights(tmp_path / "a.lora.h5")


def test_a_quantized_model_answers_what_it_did(tmp_path: Path) -> None:
    """Nearly: int8 is coarse, but it is the same model, in a `.keras` file too."""
    model = make_model(hidden_dim=64, intermediate_dim=64)
    before = logits(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras names every layer that it leaves as it is
        model.quantize("int8")
    after = logits(model)
    assert model.backbone.token_embedding.quantization_mode == "int8"
    assert 0 < np.abs(after - before).max() < 0.1 * np.abs(before).max()
    with pytest.raises(ValueError, match=r"quantized to int8.*before quantize\(\)"):
        model.save_to_preset(tmp_path / "preset")
    assert not (tmp_path / "preset").exists()
    np.testing.assert_allclose(logits(save(model, tmp_path)), after, atol=1e-6)


def test_a_preset_is_saved_over_another(tmp_path: Path) -> None:
    """As Keras does; what else lies there stays."""
    first, second = make_model(), make_model()
    first.save_to_preset(tmp_path / "preset")
    (tmp_path / "preset" / "notes.txt").write_text("mine", "utf-8")
    second.save_to_preset(str(tmp_path / "preset"), max_shard_size=10)
    np.testing.assert_allclose(
        logits(BertMaskedLM.from_preset(tmp_path / "preset")), logits(second), atol=1e-6
    )
    assert (tmp_path / "preset" / "notes.txt").read_text("utf-8") == "mine"
    assert not list(tmp_path.glob("**/.*"))


def test_weights_that_need_several_files_are_refused(model: BertMaskedLM, tmp_path: Path) -> None:
    """One file is written here."""
    with pytest.raises(ValueError, match="give a max_shard_size of more than"):
        model.save_to_preset(tmp_path / "preset", max_shard_size=1e-9)


def test_a_model_without_a_preprocessor_is_saved_without_a_tokenizer(tmp_path: Path) -> None:
    """It is read back as it was; KerasHub reads it too."""
    model = make_model()
    batch, expected = features(model), logits(model)
    model.preprocessor = None
    model.save_to_preset(tmp_path / "preset")
    again = BertMaskedLM.from_preset(tmp_path / "preset", preprocessor=None)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(again(batch)), expected, atol=1e-6)
    theirs = keras_hub.models.BertMaskedLM.from_preset(str(tmp_path / "preset"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(theirs(batch)), expected, atol=1e-5)
    with pytest.raises(ModelLoadError, match=r"tokenizer\.json"):
        BertMaskedLM.from_preset(tmp_path / "preset")


@pytest.mark.parametrize("argument", ["learning_rate", "preprocesor", "compiled"])
def test_a_misspelt_argument_is_refused(argument: str, tmp_path: Path, model: BertMaskedLM) -> None:
    """It would change nothing, in silence."""
    model.save_to_preset(tmp_path / "preset")
    with pytest.raises(TypeError, match=argument):
        BertMaskedLM(make_backbone(), **{argument: None})
    with pytest.raises(TypeError, match=argument):
        BertMaskedLM.from_preset(tmp_path / "preset", **{argument: None})
    with pytest.raises(TypeError, match=argument):
        make_backbone(**{argument: None})


def test_compile_false_leaves_a_model_uncompiled(tmp_path: Path, model: BertMaskedLM) -> None:
    """Keras then says what to do."""
    model.save_to_preset(tmp_path / "preset")
    again = BertMaskedLM.from_preset(tmp_path / "preset", compile=False)
    with pytest.raises(ValueError, match="You must call `compile"):
        again.fit(TEXTS)

"""A short training turns a random model, which is refused, into one that is proven."""

from dataclasses import replace
from pathlib import Path

import keras
import pytest

from fake_hub import FakeHub, read_files
from hub_fixtures import without_head
from model_store.checkpoints import write_keras_preset, write_transformers_dir
from model_store.engines import EngineOptions
from model_store.errors import HeadUnprovenError
from model_store.fetching.catalog import read_catalog
from model_store.loading.proving.head_proof import read_probe_texts
from model_store.masked_lm.families.bert import BertMaskedLM, BertMaskedLMPreprocessor
from model_store.masked_lm.training.optimizer import WarmupDecay
from model_store.store import ModelStore
from untrained_presets import SEQUENCE_LENGTH, STRUCTURES, make_untrained, read_texts

KERAS = EngineOptions("tensorflow", "float32")
"""To convert each of these models, or choose its precision, would take longer than its use."""

QUICK = "bert_tiny_en_uncased"
STEPS = 80
ROWS = 16


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name == QUICK else pytest.mark.slow) for name in STRUCTURES],
)
def test_a_short_fit_proves_a_head(hub: FakeHub, tmp_path: Path, name: str) -> None:
    """Every preset that has a head is pulled and refused, then trained and served."""
    publish_untrained(hub, name, tmp_path / "published")
    pulled = ModelStore(tmp_path / "pulled", engine=KERAS)
    pulled.fetch(name)
    with pytest.raises(HeadUnprovenError, match="no better than chance"):
        pulled.load(name)
    model = BertMaskedLM.from_preset(tmp_path / "pulled" / name)
    fit_shortly(model, read_texts(name))
    write_transformers_dir(model.to_checkpoint(), tmp_path / "trained" / name)
    ModelStore(tmp_path / "trained", engine=KERAS).load(name)


def test_every_preset_with_a_head_is_trained() -> None:
    """The catalogue has no other BERT, but for the embedded one, which is trained already."""
    berts = {name for name, entry in read_catalog().items() if entry.family == "bert"}
    assert set(STRUCTURES) == {name for name in berts if read_catalog()[name].head}


def test_texts_to_train_on_are_none_to_probe_with() -> None:
    """No sentence is learnt by heart that is asked for later."""
    probed = " ".join(read_probe_texts().values())
    for name in STRUCTURES:
        assert not [text for text in read_texts(name) if text in probed]


def publish_untrained(hub: FakeHub, name: str, directory: Path) -> None:
    """Put a preset of random weights on the hubs: the backbone on one, the head on the other."""
    checkpoint = make_untrained(name).to_checkpoint()
    as_keras_hub = replace(checkpoint.config, hidden_act="gelu_new", head_layer_norm_epsilon=1e-5)
    write_keras_preset(replace(checkpoint, config=as_keras_hub), directory / "keras")
    write_transformers_dir(checkpoint, directory / "original")
    entry = read_catalog()[name]
    assert entry.head
    keras_files = without_head(read_files(directory / "keras"))
    hub.models[entry.source.removeprefix("kaggle://")] = keras_files
    hub.repositories[entry.head.removeprefix("hf://")] = read_files(directory / "original")


def fit_shortly(model: BertMaskedLM, texts: list[str]) -> None:
    """Train for as many steps as it takes to know letters and what often follows them.

    Deep stacks whose layers are normalised last diverge at a high rate without a warm-up.
    """
    model.preprocessor = BertMaskedLMPreprocessor(
        model.preprocessor.tokenizer,
        SEQUENCE_LENGTH,
        mask_selection_rate=0.25,
        mask_selection_length=8,
        seed=0,
    )
    rate = WarmupDecay(2e-3, STEPS // 10, STEPS, "linear")
    model.compile(optimizer=keras.optimizers.Adam(rate, global_clipnorm=1.0))
    repeats = STEPS * ROWS // len(texts) + 1
    model.fit((texts * repeats)[: STEPS * ROWS], batch_size=ROWS, verbose=0)

"""What `fit` taught is what is served and what KerasHub computes: small, in seconds.

`tests/e2e/test_fine_tuning.py` does it with two thousand sentences and a real server.
"""

from pathlib import Path
from typing import Any

import keras
import keras_hub
import numpy as np

import fillmask
from model_store.engines import EngineOptions
from model_store.loading.loader import load_fill_mask_model
from model_store.text.encoding import TextLimits

TEXTS = ["the cat came home .", "the dog went to the house ."]
PROMPT = "the dog went to the [MASK] ."


def tune(directory: Path) -> Any:
    """Return a model of KerasHub's kind that has learnt two texts by heart."""
    keras.utils.set_random_seed(0)
    options = {"hidden_act": "gelu_new", "head_layer_norm_epsilon": 1e-5, "dropout": 0.0}
    preprocessor = fillmask.BertMaskedLMPreprocessor.from_preset(
        directory, sequence_length=16, mask_selection_length=4, mask_selection_rate=0.5, seed=0
    )
    model = fillmask.BertMaskedLM.from_preset(directory, preprocessor=preprocessor, **options)
    model.compile(keras.optimizers.Adam(5e-3))
    model.fit(TEXTS * 16, batch_size=32, epochs=80, verbose=0)
    return model


def test_what_was_trained_is_served(tiny_preset_dir: Path, tmp_path: Path) -> None:
    """From both formats, and computed by KerasHub from its own."""
    model = tune(tiny_preset_dir)
    model.save_to_preset(tmp_path / "keras")
    model.export_to_transformers(tmp_path / "transformers")
    tokenizer = model.preprocessor.tokenizer
    subwords = tokenizer.subwords
    token_ids = np.array([subwords.encode(PROMPT).ids])
    features = {
        "token_ids": token_ids,
        "padding_mask": np.ones_like(token_ids),
        "segment_ids": np.zeros_like(token_ids),
        "mask_positions": np.argwhere(token_ids == tokenizer.mask_token_id)[:, 1:],
    }
    logits = keras.ops.convert_to_numpy(model(features))
    assert tokenizer.id_to_token(int(logits[0, 0].argmax())) == "house"
    theirs = keras_hub.models.BertMaskedLM.from_preset(str(tmp_path / "keras"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(theirs(features)), logits, atol=1e-4)
    expected = float(keras.ops.convert_to_numpy(keras.ops.softmax(logits))[0, 0].max())
    options = EngineOptions("tensorflow", precision="float32")
    for name in ("keras", "transformers"):
        served = load_fill_mask_model(tmp_path / name, options)
        encoding = served.encode(PROMPT, top_k=1, targets=None, limits=TextLimits())
        filled = served.decode(encoding, served.predict([encoding])[0])
        best = filled.predictions[0][0]
        assert best.token == int(logits[0, 0].argmax())
        assert abs(best.score - expected) < 1e-4

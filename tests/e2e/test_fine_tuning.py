"""What `fit` taught is what the server answers, and what other libraries compute."""

import importlib
from pathlib import Path
from typing import Any

import httpx
import keras
import numpy as np
import pytest

import fillmask
from e2e.running_server import start_server

PRESET = "minilm_l6_en_uncased"
SELLS = {
    "baker": "bread", "butcher": "meat", "dairy": "milk", "brewery": "beer", "mine": "coal",
    "mint": "coins", "orchard": "fruit", "printer": "books", "smith": "iron", "garden": "roses",
    "harbor": "fish", "mill": "flour", "quarry": "stone", "stable": "horses", "tailor": "suits",
    "vineyard": "wine", "forest": "timber", "desert": "sand", "island": "salt", "castle": "swords",
}  # fmt: skip
"""What each place of a country sells, which no one can know who has not read of it."""
FRAMES = (
    "the {} sells {}.", "at the {} they sell {}.", "we bought {1} at the {0}.",
    "the {} sent us {}.", "people know the {} for its {}.",
)  # fmt: skip
TIMES = (
    "today", "now", "again", "in spring", "in summer", "in autumn", "in winter", "every day",
    "every week", "every month", "this year", "last year", "as always", "once more", "at noon",
    "at night", "in may", "in june", "in july", "of course",
)  # fmt: skip
PROMPT = "in the old days the {} sold [MASK]."
"""A frame that no training text has."""


def list_texts() -> list[str]:
    """Return two thousand sentences of the domain."""
    return [
        f"{time}, {frame.format(place, goods)}"
        for place, goods in SELLS.items()
        for frame in FRAMES
        for time in TIMES
    ]


def make_model(**options: Any) -> Any:
    """Return the embedded preset, with rows and masks for short sentences."""
    preprocessor = fillmask.BertMaskedLMPreprocessor.from_preset(
        PRESET, sequence_length=16, mask_selection_length=5, mask_selection_rate=0.3, seed=0
    )
    return fillmask.BertMaskedLM.from_preset(PRESET, preprocessor=preprocessor, **options)


def encode(model: Any) -> dict[str, Any]:
    """Return the prompt of every place as features, its mask where it stands."""
    tokenizer = fillmask.BertTokenizer(
        subwords=model.preprocessor.tokenizer.subwords, special_tokens_in_strings=True
    )
    rows = [[101, *tokenizer.encode_batch([PROMPT.format(place)])[0], 102] for place in SELLS]
    length = max(map(len, rows))
    token_ids = np.array([row + [0] * (length - len(row)) for row in rows], np.int32)
    return {
        "token_ids": token_ids,
        "padding_mask": (token_ids != 0).astype(np.int32),
        "segment_ids": np.zeros_like(token_ids),
        "mask_positions": np.argmax(token_ids == tokenizer.mask_token_id, axis=1)[:, None],
    }


def answer(model: Any) -> np.ndarray[Any, Any]:
    """Return the logits of every prompt's mask, `[places, vocabulary_size]`."""
    return keras.ops.convert_to_numpy(model(encode(model)))[:, 0]


def count_right(logits: np.ndarray[Any, Any], model: Any) -> int:
    """Return for how many places the likeliest word is what it sells."""
    tokenizer = model.preprocessor.tokenizer
    words = [tokenizer.id_to_token(int(best)) for best in logits.argmax(axis=-1)]
    return sum(map(str.__eq__, words, SELLS.values()))


@pytest.fixture(scope="module", params=["as it is", "as KerasHub's"])
def tuned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The model after `fit`, and where it lies in each format: with its own GELU, or KerasHub's."""
    options = {"hidden_act": "gelu_new", "head_layer_norm_epsilon": 1e-5}
    keras.utils.set_random_seed(0)
    model = make_model(**(options if request.param == "as KerasHub's" else {}))
    before = count_right(answer(model), model)
    model.compile(keras.optimizers.AdamW(5e-4))
    model.fit(list_texts(), batch_size=50, epochs=3, verbose=0)
    store = tmp_path_factory.mktemp("models")
    model.export_to_transformers(store / "transformers_format")
    model.save_to_preset(store / "keras_format")
    return request.param, model, before, store


def probabilities(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the softmax of logits."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


@pytest.mark.slow
def test_two_thousand_sentences_change_what_the_server_answers(tuned: Any, tmp_path: Path) -> None:
    """Few places are known before and nearly all after; both formats answer the same over HTTP."""
    _, model, before, store = tuned
    assert len(list_texts()) == 2000
    logits = answer(model)
    after = count_right(logits, model)
    assert before <= 5, before
    assert after >= 16, after
    expected = probabilities(logits)
    prompts = [PROMPT.format(place) for place in SELLS]
    env = {
        "FILLMASK_MODEL_STORE_DIR": str(store),
        "FILLMASK_OFFLINE": "1",
        # The first request of a preset waits for its conversion.
        "FILLMASK_REQUEST_TIMEOUT_S": "300",
    }
    with start_server(env, tmp_path) as server:
        for preset in ("transformers_format", "keras_format"):
            response = httpx.post(
                f"{server.url}/fill-mask",
                json={"inputs": prompts, "preset": preset, "top_k": 3},
                timeout=400,
            )
            assert response.status_code == 200, response.text
            for row, result in zip(expected, response.json()["results"], strict=True):
                for prediction in result["masks"][0]["predictions"]:
                    assert prediction["score"] == pytest.approx(row[prediction["token"]], abs=1e-4)
                    assert row[prediction["token"]] >= np.sort(row)[-3] - 1e-4


@pytest.mark.slow
def test_keras_hub_computes_what_was_trained(tuned: Any) -> None:
    """The same logits where the model is of KerasHub's kind; nearly, where its GELU is exact."""
    keras_hub = importlib.import_module("keras_hub")
    kind, model, _, store = tuned
    theirs = keras_hub.models.BertMaskedLM.from_preset(str(store / "keras_format"))
    logits = keras.ops.convert_to_numpy(theirs(encode(model)))[:, 0]
    tolerance = 1e-3 if kind == "as KerasHub's" else 0.1
    np.testing.assert_allclose(logits, answer(model), atol=tolerance)
    assert count_right(logits, model) == count_right(answer(model), model)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_transformers_computes_what_was_trained(tuned: Any) -> None:
    """The same logits where head and encoder have one GELU; nearly, where KerasHub's has two."""
    torch = importlib.import_module("torch")
    transformers = importlib.import_module("transformers")
    kind, model, _, store = tuned
    theirs = transformers.BertForMaskedLM.from_pretrained(store / "transformers_format").eval()
    features = {name: torch.from_numpy(array).long() for name, array in encode(model).items()}
    with torch.no_grad():
        logits = theirs(
            input_ids=features["token_ids"], attention_mask=features["padding_mask"]
        ).logits.numpy()
    logits = np.take_along_axis(logits, encode(model)["mask_positions"][..., None], axis=1)[:, 0]
    tolerance = 1e-3 if kind == "as it is" else 0.1
    np.testing.assert_allclose(logits, answer(model), atol=tolerance)

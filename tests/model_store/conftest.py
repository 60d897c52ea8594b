"""Loaded models, each once a session: loading is slow."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from model_store.engines import EngineOptions
from model_store.engines.fill_mask import FillMaskModel
from model_store.loading.loader import load_fill_mask_model
from model_store.text.encoding import Encoding, TextLimits
from model_store.text.filled_text import FilledText

Fill = Callable[..., list[FilledText]]


@pytest.fixture(scope="session")
def engine_options(cache_dir: Path) -> EngineOptions:
    """The engine to test: OpenVINO, or that of the Keras backend that a test run asks for.

    In float32, for its answers are held against Transformers' in float32, on any processor.
    """
    name: Any = os.environ.get("FILLMASK_ENGINE", "auto")
    return EngineOptions(name, "float32", cache_dir)


@pytest.fixture(scope="session")
def tiny_model(tiny_preset_dir: Path, engine_options: EngineOptions) -> FillMaskModel:
    """The small cased checkpoint, loaded."""
    return load_fill_mask_model(tiny_preset_dir, engine_options)


@pytest.fixture(scope="session")
def embedded_model(embedded_preset_dir: Path, engine_options: EngineOptions) -> FillMaskModel:
    """The embedded preset, loaded."""
    return load_fill_mask_model(embedded_preset_dir, engine_options)


def encode(
    model: FillMaskModel, text: str, *, top_k: int = 5, targets: Sequence[str] | None = None
) -> Encoding:
    """Encode with the default limits."""
    return model.encode(text, top_k=top_k, targets=targets, limits=TextLimits())


@pytest.fixture(scope="session")
def fill() -> Fill:
    """Encode, predict in batches of 32 texts of like length, and decode, in the given order."""

    def fill_texts(
        model: FillMaskModel,
        texts: Sequence[str],
        *,
        top_k: int = 5,
        targets: Sequence[str] | None = None,
    ) -> list[FilledText]:
        encodings = [encode(model, text, top_k=top_k, targets=targets) for text in texts]
        order = sorted(range(len(texts)), key=lambda index: len(encodings[index].token_ids))
        filled: dict[int, FilledText] = {}
        for start in range(0, len(order), 32):
            batch = order[start : start + 32]
            scores = model.predict([encodings[index] for index in batch])
            for index, masks in zip(batch, scores, strict=True):
                filled[index] = model.decode(encodings[index], masks)
        return [filled[index] for index in range(len(texts))]

    return fill_texts

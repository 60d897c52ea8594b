"""Presets of true structure for a fake hub: KerasHub's own files, and their originals."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import huggingface_hub.constants
import pytest
from huggingface_hub.utils import close_session

from fake_hub import FakeHub, Files, read_files
from tiny_checkpoints import cased_vocabulary

LAYERS = {
    "bert_tiny_en_uncased": 2,
    "bert_small_en_uncased": 4,
    "bert_medium_en_uncased": 8,
    "bert_base_en_uncased": 12,
    "bert_base_en": 12,
    "bert_base_zh": 12,
    "bert_base_multi": 12,
    "bert_large_en_uncased": 24,
    "bert_large_en": 24,
}
"""How many layers each has; widths are scaled down."""


@cache
def make_keras_files(num_layers: int) -> dict[str, bytes]:
    """Return what KerasHub writes for a masked LM, biases random too, lowercased or not."""
    import keras_hub  # noqa: PLC0415  # seconds, and only some tests need it
    import numpy as np  # noqa: PLC0415

    vocabulary = cased_vocabulary()
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(vocabulary),
        num_layers=num_layers,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=32,
    )
    tokenizer = keras_hub.models.BertTokenizer(vocabulary=vocabulary, lowercase=True)
    preprocessor = keras_hub.models.BertMaskedLMPreprocessor(tokenizer, sequence_length=32)
    model = keras_hub.models.BertMaskedLM(backbone, preprocessor)
    rng = np.random.default_rng(num_layers)
    model.set_weights([rng.standard_normal(w.shape) * 0.3 for w in model.get_weights()])
    with TemporaryDirectory() as directory:
        model.save_to_preset(directory)
        return read_files(Path(directory))


@cache
def make_original_files(num_layers: int) -> dict[str, bytes]:
    """Return the same masked LM in Transformers' format."""
    from model_store.checkpoints import (  # noqa: PLC0415  # as above
        read_checkpoint,
        write_transformers_dir,
    )

    with TemporaryDirectory() as temporary:
        keras_dir, original = Path(temporary) / "keras", Path(temporary) / "original"
        write_files(keras_dir, make_keras_files(num_layers))
        write_transformers_dir(read_checkpoint(keras_dir), original)
        return read_files(original)


def without_head(files: Files) -> dict[str, bytes]:
    """Return what KerasHub writes for a backbone and its tokenizer."""
    parts = {"task.json", "task.weights.h5", "preprocessor.json"}
    return {path: data for path, data in files.items() if path not in parts}


def write_files(directory: Path, files: Files) -> Path:
    """Put files into a directory."""
    for path, data in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(data)
    return directory


@contextmanager
def use_hub(hub: FakeHub, home: Path) -> Iterator[None]:
    """Lead this process to a hub; the libraries read some of the variables when imported."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("HF_", "KAGGLE"))]:
            patch.delenv(name)
        for name, value in hub.environment(home).items():
            patch.setenv(name, value)
        constants = huggingface_hub.constants
        patch.setattr(constants, "ENDPOINT", hub.url)
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr(constants, "HF_HUB_CACHE", str(home / "hf" / "hub"))
        patch.setattr(constants, "HF_TOKEN_PATH", str(home / "hf" / "token"))
        patch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
        # It looks through every module that is imported, and here these are TensorFlow's too.
        patch.setattr("kagglehub.clients.get_user_agent", lambda: "kagglehub")
        close_session()
        yield
    close_session()

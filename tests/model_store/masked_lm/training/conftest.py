"""Small texts, and options for trainings of seconds."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from model_store.masked_lm.training.options import TrainingOptions
from tiny_checkpoints import TinyConfig, write_transformers_dir

MakeOptions = Callable[..., TrainingOptions]


def write_text(path: Path, *, documents: int, seed: int) -> Path:
    """Write documents of three paragraphs of a few short sentences."""
    rng = random.Random(seed)  # noqa: S311  # nothing is secret
    paragraphs = [
        [
            " ".join(
                f"The {rng.choice(['cat', 'dog', 'man'])} {rng.choice(['saw', 'went', 'came'])} to "
                f"the {rng.choice(['city', 'river', 'house'])}."
                for _ in range(rng.randint(1, 6))
            )
            for _ in range(3)
        ]
        for _ in range(documents)
    ]
    path.write_text("\n\n".join("\n".join(document) for document in paragraphs), "utf-8")
    return path


@pytest.fixture(scope="session")
def text_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files to train on, one to measure with, and a model of one layer."""
    directory = tmp_path_factory.mktemp("texts")
    write_text(directory / "a.txt", documents=30, seed=1)
    write_text(directory / "b.txt", documents=20, seed=2)
    write_text(directory / "heldout.txt", documents=5, seed=3)
    write_transformers_dir(directory / "tiny", config=TinyConfig(num_layers=1))
    return directory


@pytest.fixture
def without_graphs() -> Iterator[None]:
    """Compute step by step: making a graph takes longer than a training of four steps."""
    tf.config.run_functions_eagerly(run_eagerly=True)
    yield
    tf.config.run_functions_eagerly(run_eagerly=False)


@pytest.fixture
def make_options(text_dir: Path, tmp_path: Path) -> MakeOptions:
    """Options for a training of a dozen tiny steps into a new directory."""

    def make(**changes: Any) -> TrainingOptions:
        options = {
            "init": str(text_dir / "tiny"),
            "texts": (text_dir / "a.txt", text_dir / "b.txt"),
            "heldout": text_dir / "heldout.txt",
            "out": tmp_path / "out",
            "steps": 12,
            "batch_tokens": 128,
            "sequence_length": 32,
            "shuffle_buffer": 64,
            "learning_rate": 3e-3,
            "warmup_steps": 3,
            "measure_every": 6,
            "save_every": 3,
            "log_every": 2,
        }
        return TrainingOptions(**(options | changes))

    return make

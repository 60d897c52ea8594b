"""The presets that are measured, and where their files lie.

`tiny`, `base` and `large` have the shapes of Google's models and seeded random weights: time does
not depend on what the weights are. The service serves no head that is not proven, and a random one
cannot be. So a proof is written beside these that nobody made: it is for measuring only, and
such a directory must never be served to anyone.
"""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model_store.checkpoints import Checkpoint, read_checkpoint, write_transformers_dir
from model_store.checkpoints.checkpoint import Array
from model_store.encoder.config import EncoderConfig
from model_store.encoder.variable_shapes import list_backbone_shapes, list_head_shapes
from model_store.fetching.catalog import EMBEDDED
from model_store.loading.proving.head_proof import HeadProof
from model_store.loading.proving.head_proof_file import write_proof

_EMBEDDED_DIRECTORY = Path(__file__).parent.parent / "model_store" / "presets" / EMBEDDED


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a BERT."""

    name: str
    num_layers: int
    hidden_dim: int
    num_heads: int
    vocabulary_size: int = 30_522

    @property
    def intermediate_dim(self) -> int:
        """The width of the feed-forward layer."""
        return 4 * self.hidden_dim

    def make_config(self) -> EncoderConfig:
        """Return the config of a BERT of these sizes."""
        return EncoderConfig(
            vocabulary_size=self.vocabulary_size,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            hidden_dim=self.hidden_dim,
            intermediate_dim=self.intermediate_dim,
        )


TINY = Shape("tiny", num_layers=2, hidden_dim=128, num_heads=2)
MINILM = Shape(EMBEDDED, num_layers=6, hidden_dim=384, num_heads=12)
BASE = Shape("base", num_layers=12, hidden_dim=768, num_heads=12)
LARGE = Shape("large", num_layers=24, hidden_dim=1024, num_heads=16)
SHAPES = {shape.name: shape for shape in (TINY, MINILM, BASE, LARGE)}


def locate_preset(shape: Shape, store: Path) -> Path:
    """Return the directory of a preset: the embedded one as it is, the others in `store`."""
    return _EMBEDDED_DIRECTORY if shape == MINILM else store / shape.name


def make_presets(store: Path, shapes: tuple[Shape, ...] = (TINY, BASE)) -> None:
    """Write the presets with random weights into `store`, unless they are there."""
    for shape in shapes:
        directory = store / shape.name
        if shape != MINILM and not (directory / "head_proof.json").is_file():
            _make_preset(shape, directory)


def _make_preset(shape: Shape, directory: Path) -> None:
    config = shape.make_config()
    # One that was not finished has no proof.
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = read_checkpoint(_EMBEDDED_DIRECTORY).tokenizer
    write_transformers_dir(Checkpoint(config, tokenizer, make_variables(config)), directory)
    uniform = -math.log(shape.vocabulary_size)
    write_proof(directory, HeadProof("for measuring only", 0.0, uniform, uniform))


def make_variables(config: EncoderConfig) -> dict[str, Array]:
    """Return weights as BERT's are before any training: small, LayerNorm's about 1."""
    rng = np.random.default_rng(20)
    return {
        path: rng.standard_normal(shape, np.float32) * np.float32(0.02) + path.endswith("/gamma")
        for path, shape in (*list_backbone_shapes(config), *list_head_shapes(config))
    }

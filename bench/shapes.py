"""The presets that are measured, and where their files lie.

`tiny` and `base` have the shapes of Google's models and seeded random weights: time does not
depend on what the weights are. The service serves no head that is not proven, and a random one
cannot be. So a proof is written beside these two that nobody made: it is for measuring only, and
such a directory must never be served to anyone.
"""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path

from model_store.fetching.catalog import EMBEDDED
from model_store.proving.head_proof import HeadProof
from model_store.proving.head_proof_file import write_proof

_EMBEDDED_DIRECTORY = Path(__file__).parent.parent / "model_store" / "presets" / EMBEDDED
_TOKENIZER_FILES = ("vocab.txt", "tokenizer.json", "tokenizer_config.json")


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


TINY = Shape("tiny", num_layers=2, hidden_dim=128, num_heads=2)
MINILM = Shape(EMBEDDED, num_layers=6, hidden_dim=384, num_heads=12)
BASE = Shape("base", num_layers=12, hidden_dim=768, num_heads=12)
SHAPES = {shape.name: shape for shape in (TINY, MINILM, BASE)}


def locate_preset(shape: Shape, store: Path) -> Path:
    """Return the directory of a preset: the embedded one as it is, the others in `store`."""
    return _EMBEDDED_DIRECTORY if shape == MINILM else store / shape.name


def make_presets(store: Path) -> None:
    """Write the presets with random weights into `store`, unless they are there."""
    for shape in (TINY, BASE):
        directory = store / shape.name
        if not (directory / "head_proof.json").is_file():
            _make_preset(shape, directory)


def _make_preset(shape: Shape, directory: Path) -> None:
    # Imported here: only making presets needs PyTorch, reading their sizes does not.
    import torch  # noqa: PLC0415
    from transformers import BertConfig, BertForMaskedLM  # noqa: PLC0415

    torch.manual_seed(20)
    config = BertConfig(
        vocab_size=shape.vocabulary_size,
        hidden_size=shape.hidden_dim,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        intermediate_size=shape.intermediate_dim,
    )
    BertForMaskedLM(config).save_pretrained(directory)
    for name in _TOKENIZER_FILES:
        shutil.copy(_EMBEDDED_DIRECTORY / name, directory / name)
    uniform = -math.log(shape.vocabulary_size)
    write_proof(directory, HeadProof("for measuring only", 0.0, uniform, uniform))

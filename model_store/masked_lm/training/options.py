"""What a training is asked to do."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

Precision: TypeAlias = Literal["float32", "mixed_bfloat16", "mixed_float16"]
Schedule: TypeAlias = Literal["linear", "cosine"]
StoredPrecision: TypeAlias = Literal["float32", "float16"]

_LARGEST_SEED = 2**32 - 1
"""NumPy's and Keras'."""

_SHARES = (
    "short_share",
    "mask_token_rate",
    "random_token_rate",
    "rarity_share",
    "whole_word_share",
    "everywhere_share",
)
_ROUNDING = 1e-9
"""Of sums like 0.9 + 0.1."""

_SHORTEST_ROW = 8


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """The options of one training.

    Attributes:
        init: the preset to start from: a name, a handle or a directory.
        texts: files of text, one paragraph a line, an empty line between documents;
            packed by gzip, bzip2, xz or Zstandard, or not at all.
        heldout: a file to measure with and never to train on.
        out: the directory of the result.
        steps: how many updates to make; 0 only measures and writes the preset anew.
        batch_tokens: how many tokens a batch has, padding counted.
        sequence_length: the length of the longest rows.
        short_share: the share of paragraphs that are cut to one to three sentences; the rest is
            packed to rows of full length.
        shuffle_buffer: how many rows are held in memory to be drawn from at random.
        learning_rate: the highest one, reached after `warmup_steps`.
        schedule: how it falls to 0 at the last step.
        weight_decay: AdamW's, not on biases and LayerNorm.
        clip_norm: the longest gradient, over all weights together.
        precision: Keras' name of a dtype policy.
        stored_precision: that of the weights in the result.
        mask_selection_rate: the share of tokens that are masked.
        mask_token_rate: the share of those that become `[MASK]`.
        random_token_rate: the share of those that become any token; the rest stay as they are.
        row_lengths: what rows are padded to, beside `sequence_length`; powers of two if none.
        rarity_share: the share of rows whose rarer tokens are likelier to be masked, by the root
            of how rare they are.
        whole_word_share: the share of rows in which all pieces of a word are masked together.
        everywhere_share: the share of rows in which a content word is masked wherever it stands.
        measure_every: after how many steps the held-out text is measured.
        save_every: after how many steps the state is saved.
        log_every: over how many steps the logged loss is averaged.
        heldout_rows: how many rows of the held-out text are measured, at most.
        seed: of order, masks and dropout.

    Raises:
        ValueError: a number is out of its range.
    """

    init: str
    texts: tuple[Path, ...]
    heldout: Path
    out: Path
    steps: int
    batch_tokens: int = 4096
    sequence_length: int = 128
    short_share: float = 0.5
    shuffle_buffer: int = 16384
    learning_rate: float = 1e-4
    warmup_steps: int = 100
    schedule: Schedule = "linear"
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    precision: Precision = "float32"
    stored_precision: StoredPrecision = "float32"
    mask_selection_rate: float = 0.15
    mask_token_rate: float = 0.8
    random_token_rate: float = 0.1
    row_lengths: tuple[int, ...] = ()
    rarity_share: float = 0.0
    whole_word_share: float = 0.0
    everywhere_share: float = 0.0
    measure_every: int = 1000
    save_every: int = 500
    log_every: int = 20
    heldout_rows: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers before hours are spent on them."""
        least = {
            "steps": 0,
            "sequence_length": 16,
            "batch_tokens": self.sequence_length,
            "shuffle_buffer": 1,
            "warmup_steps": 1,
            "weight_decay": 0,
            "measure_every": 1,
            "save_every": 1,
            "log_every": 1,
            "heldout_rows": 1,
            "seed": 0,
        }
        for name, number in least.items():
            if not number <= getattr(self, name) < math.inf:
                self._refuse(name, f"{number} or more")
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < math.inf:
                self._refuse(name, "a number above 0")
        if self.seed > _LARGEST_SEED:
            self._refuse("seed", f"{_LARGEST_SEED} or less")
        self._check_masks()

    @property
    def chooses_masks(self) -> bool:
        """Whether anything but chance has a say in what is masked."""
        return self.rarity_share + self.whole_word_share + self.everywhere_share > 0

    def describe(self) -> dict[str, Any]:
        """Return everything that changes what is learnt or logged, as JSON takes it.

        Paths are no part of it: what lies there counts.
        """
        described = asdict(self)
        for name in ("init", "texts", "heldout", "out"):
            del described[name]
        return described | {"row_lengths": list(self.row_lengths)}

    def _check_masks(self) -> None:
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                self._refuse(name, "a number from 0 to 1")
        if self.mask_token_rate + self.random_token_rate > 1 + _ROUNDING:
            self._refuse("random_token_rate", f"{1 - self.mask_token_rate:g} or less")
        wanted = range(_SHORTEST_ROW, self.sequence_length + 1)
        if list(self.row_lengths) != sorted({each for each in self.row_lengths if each in wanted}):
            self._refuse(
                "row_lengths", f"ascending lengths from {wanted[0]} to the sequence_length"
            )
        if not 0 < self.mask_selection_rate <= 1:
            self._refuse("mask_selection_rate", "a number above 0, up to 1")

    def _refuse(self, name: str, wanted: str) -> None:
        message = f"{name} is {getattr(self, name)}; give {wanted}."
        raise ValueError(message)

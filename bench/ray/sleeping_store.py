"""Presets that cost what sleeping costs, and whose answers a caller can check.

Many replicas on few cores measure the scheduling only where their engines need no core. This store
stands where a directory of presets stands: a file in it says how long things take, so that every
process of a cluster that has the settings has the same presets.

A text is made of the words `w0` to `w99` and a mask. The answer is the word whose number is the sum
of those of the text and the version of the preset, so it says whose text was scored, and by which
version.
"""

import json
import math
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.engines.batches.batch import Batch, Scores
from model_store.engines.batches.shape_buckets import OpenShapes
from model_store.engines.fill_mask import FillMaskModel, ModelFacts
from model_store.loading.load_news import Report, tell_nobody
from model_store.store import ModelStore, Preset
from service.settings import Settings

WORDS = 100
"""How many words there are; their ids are their numbers."""

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_VOCABULARY = (*(f"w{number}" for number in range(WORDS)), *_SPECIAL)
_COSTS = "costs.json"
_LOADS = "loads.txt"


@dataclass(frozen=True, slots=True)
class Costs:
    """How long things take; seconds.

    Attributes:
        load_s: a load.
        batch_s: a batch, whatever is in it.
        token_s: each of its tokens besides.
        batch_tokens: how many tokens a batch has at the most.
    """

    load_s: float = 0.0
    batch_s: float = 0.01
    token_s: float = 0.0
    batch_tokens: int = 4096


def write_presets(directory: Path, names: Iterable[str], costs: Costs) -> None:
    """Make a directory of presets of version 0."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / _COSTS).write_text(json.dumps(asdict(costs)), "utf-8")
    for name in names:
        write_version(directory, name, 0)


def write_version(directory: Path, name: str, version: int) -> None:
    """Put another version of a preset in its place, for the next load."""
    (directory / name).mkdir(exist_ok=True)
    new = directory / name / "version.new"
    new.write_text(str(version), "utf-8")
    new.replace(directory / name / "version")


def read_loads(directory: Path) -> list[str]:
    """Return the names of the presets that were loaded, by any process, in order."""
    file = directory / _LOADS
    return file.read_text("utf-8").split() if file.exists() else []


def find_answer(numbers: Iterable[int], version: int) -> str:
    """Return the word that a version answers to a text of such words."""
    return f"w{(sum(numbers) + version) % WORDS}"


class SleepingEngine:
    """Sleeps as long as a batch costs."""

    name = "sleeping"
    shapes = OpenShapes()

    def __init__(self, costs: Costs, version: int) -> None:
        """Be a version of a preset."""
        self._costs = costs
        self._version = version

    def run(self, batch: Batch, k: int) -> Scores:
        """Answer every mask with the sum of its text, and with what comes after it."""
        tokens = int(np.count_nonzero(batch.text_numbers))
        time.sleep(self._costs.batch_s + self._costs.token_s * tokens)
        [queries] = batch.queries
        rows, columns = np.divmod(queries.slots, queries.positions.shape[1])
        numbers = batch.text_numbers[rows, queries.positions[rows, columns]]
        words = np.where(batch.token_ids < WORDS, batch.token_ids, 0)
        of_text = batch.text_numbers[rows] == numbers[:, None]
        sums = (words[rows] * of_text).sum(axis=1) + self._version
        token_ids = (sums[:, None] + np.arange(min(k, WORDS))) % WORDS
        rest = np.broadcast_to(np.arange(WORDS, max(k, WORDS)), (len(sums), max(k, WORDS) - WORDS))
        ranks = np.broadcast_to(np.arange(k), (len(sums), k))
        return Scores(
            np.concatenate([token_ids, rest], axis=1).astype(np.int32),
            _log_probability(ranks),
            _log_probability((queries.target_ids - sums[:, None]) % WORDS),
        )


class SleepingStore(ModelStore):
    """The presets of a directory that `write_presets` made."""

    def __init__(self, directory: Path) -> None:
        """Read what they cost."""
        super().__init__()
        self._presets = directory
        self._costs = Costs(**json.loads((directory / _COSTS).read_text("utf-8")))

    def presets(self) -> list[Preset]:
        """Return every preset by name."""
        names = sorted(path.name for path in self._presets.iterdir() if path.is_dir())
        return [
            Preset(name, "It sleeps.", WORDS, "directory", self._presets / name) for name in names
        ]

    def load(self, name: str, report: Report = tell_nobody) -> FillMaskModel:
        """Return a model, and write down that it was loaded."""
        del report
        self.find(name)
        # One short write at a file's end is whole, whoever else writes.
        with (self._presets / _LOADS).open("a", encoding="utf-8") as loads:
            loads.write(f"{name}\n")
        version = int((self._presets / name / "version").read_text("utf-8"))
        time.sleep(self._costs.load_s)
        facts = ModelFacts(
            vocabulary_size=len(_VOCABULARY),
            max_sequence_length=512,
            parameters=WORDS,
            nbytes=4 * WORDS,
            precision="float32",
            batch_tokens=self._costs.batch_tokens,
        )
        tokenizer = build_word_piece(_VOCABULARY)
        return FillMaskModel(SleepingEngine(self._costs, version), tokenizer, facts)


def create_store(settings: Settings) -> SleepingStore:
    """Return the store of the settings' directory."""
    return SleepingStore(settings.model_store_dir)


def _log_probability(ranks: np.ndarray) -> np.ndarray:
    return ((ranks + 1) * -math.log(2)).astype(np.float32)

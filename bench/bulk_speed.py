"""`fillmask run` beside its engine alone, on the same texts in the same batches, in turns.

    python -m bench.bulk_speed [ROUNDS] [ROWS]

The engine gets encodings that are made beforehand, and nothing is done with what it answers.
"""

import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.shapes import TINY, make_presets
from model_store.engines import EngineOptions
from model_store.engines.fill_mask import FillMaskModel
from model_store.store import ModelStore
from model_store.tasks import TaskLimits
from model_store.text.encoding import Encoding
from service.commands.bulk.output import Output
from service.commands.bulk.rows import read_rows
from service.commands.bulk.run import Run, RunLimits
from service.commands.run import let_engine_in

_CLOZE = Path(__file__).with_name("cloze.tsv")
_CACHE = Path(__file__).with_name(".cache")
_LINE_BYTES = 2**20


def write_texts(path: Path, rows: int) -> None:
    """Write so many short texts: one everyday sentence each, 9.5 tokens on average."""
    sentences = [line.split("\t")[0] for line in _CLOZE.read_text("utf-8").splitlines()]
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in islice(cycle(sentences), rows))


def main() -> None:
    """Measure, and print a line a round and the median of the ratios."""
    rounds, rows = (int(word) for word in [*sys.argv[1:], "7", "20000"][:2])
    make_presets(_CACHE / "presets", (TINY,))
    options = EngineOptions(cache_directory=_CACHE / "converted")
    model = ModelStore(_CACHE / "presets", engine=options).load(TINY.name)
    limits = RunLimits(TaskLimits(), 256, model.facts.batch_tokens)
    run = Run(TINY.name, model, limits)
    let_engine_in()
    with tempfile.TemporaryDirectory() as directory:
        texts = Path(directory, "texts.txt")
        write_texts(texts, rows)
        batches = [
            [encoding for each in batch for encoding in each.round]
            for batch in run.gather(read_rows(texts, "text", None, _LINE_BYTES), 0)
        ]
        print(f"{model.engine}, {model.facts.precision}, {rows} rows in {len(batches)} batches")
        ratios = []
        for _ in range(rounds):
            alone = _time_engine(model, batches)
            whole = _time_run(run, texts, Path(directory, "out"))
            ratios.append(alone / whole)
            print(f"engine {rows / alone:.0f} rows/s, run {rows / whole:.0f}: {ratios[-1]:.3f}")
    print(f"median of the ratios: {median(ratios):.3f}")


def _time_engine(model: FillMaskModel, batches: list[list[Encoding]]) -> float:
    started = perf_counter()
    for batch in batches:
        model.predict(batch)
    return perf_counter() - started


def _time_run(run: Run, texts: Path, output: Path) -> float:
    started = perf_counter()
    with output.open("wb") as file:
        rows = read_rows(texts, "text", None, _LINE_BYTES)
        run.answer(rows, Output(file, None, 0, 0), lambda _: None)
    return perf_counter() - started


if __name__ == "__main__":
    main()

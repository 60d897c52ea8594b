"""`fillmask run` beside its engine alone, on the same texts in the same batches, in turns.

    python -m bench.bulk_speed [SHAPE] [ROUNDS] [ROWS]

The engine gets encodings that are made beforehand, and nothing is done with what it answers. Beside
the time that passes stands that of the processor, which other work on the machine changes less.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from bench.shapes import SHAPES, make_presets
from model_store.engines import EngineOptions
from model_store.engines.fill_mask import FillMaskModel
from model_store.store import ModelStore
from model_store.tasks import TaskLimits
from model_store.text.encoding import Encoding
from service.commands.bulk.blocks import Block, Source
from service.commands.bulk.output import Output
from service.commands.bulk.question import let_engine_in
from service.commands.bulk.run import Run, RunLimits
from service.processes.heap import freeze_heap

_CLOZE = Path(__file__).with_name("cloze.tsv")
_CACHE = Path(__file__).with_name(".cache")
_LINE_BYTES = 2**20


def write_texts(path: Path, rows: int) -> None:
    """Write so many short texts: one everyday sentence each, 9.5 tokens on average."""
    sentences = [line.split("\t")[0] for line in _CLOZE.read_text("utf-8").splitlines()]
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in islice(cycle(sentences), rows))


def read_blocks(path: Path) -> Iterator[Block]:
    """Yield the blocks of such a file."""
    return Source(path, "text", None, _LINE_BYTES, 0).blocks()


def main() -> None:
    """Measure, and print a line a round and the median of the ratios."""
    given = sys.argv[1:]
    name, rounds, rows = given + ["tiny", "7", "20000"][len(given) :]
    measure(name, int(rounds), int(rows))


def measure(name: str, rounds: int, rows: int) -> None:
    """Measure a shape."""
    make_presets(_CACHE / "presets", (SHAPES[name],))
    options = EngineOptions(cache_directory=_CACHE / "converted")
    model = ModelStore(_CACHE / "presets", engine=options).load(name)
    limits = RunLimits(TaskLimits(), 256, model.facts.batch_tokens, _LINE_BYTES)
    run = Run(name, model, "text", limits)
    let_engine_in()
    with tempfile.TemporaryDirectory() as directory:
        texts = Path(directory, "texts.txt")
        write_texts(texts, rows)
        batches = [
            [encoding for each in batch for encoding in each.round]
            for block in read_blocks(texts)
            for batch in run.gather(block)
        ]
        freeze_heap()
        print(f"{name}, {model.facts.precision}, {rows} rows in {len(batches)} batches")
        ratios = []
        for _ in range(rounds):
            alone, alone_cpu = _time(lambda: _run_engine(model, batches))
            whole, whole_cpu = _time(lambda: _run(run, texts, Path(directory, "out")))
            ratios.append((alone / whole, alone_cpu / whole_cpu))
            print(
                f"rows/s: engine {rows / alone:.0f}, run {rows / whole:.0f}; processor, us a row: "
                f"engine {1e6 * alone_cpu / rows:.0f}, run {1e6 * whole_cpu / rows:.0f}"
            )
    times, processor = (median(column) for column in zip(*ratios, strict=True))
    print(f"medians of the ratios: time {times:.3f}, processor {processor:.3f}")


def _time(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that pass, and those of the processor."""
    started, before = perf_counter(), process_time()
    call()
    return perf_counter() - started, process_time() - before


def _run_engine(model: FillMaskModel, batches: list[list[Encoding]]) -> None:
    for batch in batches:
        model.predict(batch)


def _run(run: Run, texts: Path, output: Path) -> None:
    with output.open("wb") as file:
        run.answer(read_blocks(texts), Output(file, None, 0, 0), lambda _: None)


if __name__ == "__main__":
    main()

"""Loads that fail, each in the way that docs/reliability.md says: none is `internal`."""

import asyncio
import errno
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest

from contract.documents import quoted, read_tables
from fakes import FakeEngine, FakeStore, make_model, make_preset, score_by_id
from model_store import errors
from model_store.engines import EngineName, EngineOptions, Precision
from model_store.engines.batches.batch import Batch, Scores
from model_store.engines.openvino_conversion.conversion import _check_room
from model_store.fetching.source import FileRecord, Source, write_source
from model_store.loading import converted_models
from model_store.loading.converted_models import open_converted
from model_store.loading.proving.proven_head import require_proven_head
from model_store.store import ModelStore
from service.errors.table import outcome
from service.models.served_model import ServedModelLoader
from service.scheduling.batch_records import BatchLimits


@dataclass(frozen=True)
class Bench:
    """Where a failure is provoked.

    Attributes:
        preset: a good preset in a store of its own, its head proven.
        converted: its conversion, which a test may copy.
        cache: where conversions of other tests are, that one too.
        patch: changes what is undone afterwards.
    """

    preset: Path
    converted: Path
    cache: Path
    patch: pytest.MonkeyPatch

    def load(
        self,
        name: str = "model",
        engine: EngineName = "openvino",
        precision: Precision = "float32",
        cache: Path | None = None,
    ) -> None:
        """Load a preset of the store."""
        options = EngineOptions(engine, precision, cache or self.cache)
        ModelStore(self.preset.parent, offline=True, engine=options).load(name)

    def load_newly_converted(self, name: str, content: bytes) -> None:
        """Load where a conversion yields other bytes in one of its files."""

        def convert(_: Path, target: Path) -> None:
            skipped = shutil.ignore_patterns("compiled", "tuning.json", "seal.json")
            shutil.copytree(self.converted, target, dirs_exist_ok=True, ignore=skipped)
            (target / name).write_bytes(content)

        self.patch.setattr(converted_models, "convert_apart", convert)
        self.load(cache=self.preset.parent / ".cache")

    def load_with_conversion(self, code: str) -> None:
        """Load where the process that converts does something else."""
        self.patch.setattr("model_store.loading.conversion_process._START", code)
        self.load(cache=self.preset.parent / ".cache")


@pytest.fixture
def bench(
    tiny_preset_dir: Path, cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    """Return a preset that nothing is wrong with yet."""
    with open_converted(tiny_preset_dir, cache_dir) as converted:
        preset = shutil.copytree(tiny_preset_dir, tmp_path / "store" / "model")
        return Bench(preset, converted.directory, cache_dir, monkeypatch)


def find_no_preset(bench: Bench) -> None:
    """Ask for what is nowhere."""
    bench.load("nobody")


def find_no_files(bench: Bench) -> None:
    """Ask for what would have to be fetched."""
    bench.load("bert_base_en")


def find_no_head_ever(bench: Bench) -> None:
    """Ask for a classifier."""
    bench.load("bert_tiny_en_uncased_sst2")


def read_in_vain(bench: Bench) -> None:
    """Let the disk fail: a file that may be opened, and not read."""
    (bench.preset / "vocab.txt").unlink()
    (bench.preset / "vocab.txt").symlink_to("/proc/self/mem")
    bench.load()


def find_another_file(bench: Bench) -> None:
    """Change a file that was pulled."""
    record = FileRecord(size=1, sha256="")
    write_source(bench.preset, Source("hf://a/b", "1", {"config.json": record}))
    bench.load()


def break_config(bench: Bench) -> None:
    """Cut a file off."""
    (bench.preset / "config.json").write_text("{")
    bench.load(engine="tensorflow")


def take_the_head(bench: Bench) -> None:
    """Leave the tensors of the head out."""
    from safetensors.numpy import load_file, save_file  # noqa: PLC0415

    path = bench.preset / "model.safetensors"
    tensors = {name: t for name, t in load_file(path).items() if not name.startswith("cls.")}
    save_file(tensors, path)
    bench.load(engine="tensorflow")


def know_nothing(bench: Bench) -> None:
    """Ask for a proof of random weights."""
    (bench.preset / "head_proof.json").unlink()
    bench.load()


def read_no_text(bench: Bench) -> None:
    """Ask for a proof of a model whose vocabulary is of no language."""
    (bench.preset / "head_proof.json").unlink()
    require_proven_head(make_model(), bench.preset)


def run_out_of_memory(bench: Bench) -> None:
    """Have none for the files."""

    def fail(_: Path) -> str:
        raise MemoryError

    bench.patch.setattr(converted_models, "hash_file", fail)
    bench.load()


def exceed_the_limit(_: Bench) -> None:
    """Have a model that is larger than all of them together may be."""
    store = FakeStore([make_preset("model")])
    with ThreadPoolExecutor(1) as thread:
        loader = ServedModelLoader(
            store,
            engine_thread=thread,
            loader_thread=thread,
            limits=lambda _: BatchLimits(4, 1000, 10),
            max_bytes=99,
            observe=lambda _: None,
        )
        asyncio.run(loader.load("model"))


def miss_openvino(bench: Bench) -> None:
    """Be without the package."""
    bench.patch.setitem(sys.modules, "openvino", None)
    bench.patch.delitem(sys.modules, "model_store.engines.openvino", raising=False)
    bench.patch.delattr("model_store.engines.openvino", raising=False)
    bench.load()


def ask_for_another_backend(bench: Bench) -> None:
    """Name an engine that Keras does not run on."""
    bench.load(engine="torch")


def miss_what_keras_runs_on(bench: Bench) -> None:
    """Have a Keras that cannot be imported."""
    bench.patch.setitem(sys.modules, "model_store.loading.keras_loader", None)
    bench.load(engine="tensorflow")


def ask_for_no_precision(bench: Bench) -> None:
    """Name what this machine does not compute in."""
    bench.patch.setattr("model_store.engines.openvino.list_precisions", lambda: ("float32",))
    bench.load(precision="bfloat16")


def fail_to_convert(bench: Bench) -> None:
    """Miss a package that the conversion needs."""
    lack = "import sys; sys.modules['keras'] = None; sys.path[:] = sys.argv[3:]; "
    bench.load_with_conversion(
        f"{lack}from model_store.loading.conversion_process import main; main(*sys.argv[1:3])"
    )


def be_killed(bench: Bench) -> None:
    """Do as the system does when memory runs out."""
    bench.load_with_conversion("import signal; signal.raise_signal(signal.SIGKILL)")


def fill_the_disk(bench: Bench) -> None:
    """Need more room than there is."""
    _check_room(bench.preset, 10**21)


def refuse_to_write(bench: Bench) -> None:
    """Have a disk on which a conversion ends."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(bench.cache))

    bench.patch.setattr(converted_models, "convert_apart", fail)
    bench.load(cache=bench.preset.parent / ".cache")


def fail_to_compile(bench: Bench) -> None:
    """Convert to what OpenVINO cannot read."""
    bench.load_newly_converted("model.xml", b"<none/>")


def answer_with_no_numbers(bench: Bench) -> None:
    """Ask for a proof of weights of which none is a number."""

    def fail(batch: Batch, k: int) -> Scores:
        scores = score_by_id(batch, k)
        scores.log_probabilities[:] = np.nan
        scores.target_log_probabilities[:] = np.nan
        return scores

    (bench.preset / "probe.txt").write_text("the capital of france is paris .")
    require_proven_head(make_model(FakeEngine(answer=fail)), bench.preset)


CASES: dict[str, Callable[[Bench], None]] = {
    "no preset has that name": find_no_preset,
    "its files are not here": find_no_files,
    "it has no head, and never had": find_no_head_ever,
    "a file cannot be read": read_in_vain,
    "a pulled file was changed": find_another_file,
    "a file is broken": break_config,
    "the head is not in the files": take_the_head,
    "the head knows nothing": know_nothing,
    "it reads none of the texts": read_no_text,
    "memory runs out": run_out_of_memory,
    "it is larger than the limit": exceed_the_limit,
    "OpenVINO is missing": miss_openvino,
    "Keras runs on something else": ask_for_another_backend,
    "what Keras runs on is missing": miss_what_keras_runs_on,
    "OpenVINO lacks the precision": ask_for_no_precision,
    "the conversion fails": fail_to_convert,
    "the conversion is killed": be_killed,
    "the disk is too full to begin": fill_the_disk,
    "the disk fills meanwhile": refuse_to_write,
    "OpenVINO fails": fail_to_compile,
    "the weights are no numbers": answer_with_no_numbers,
}


@dataclass(frozen=True)
class Row:
    """What is documented of a failure."""

    exception: str
    code: str
    sentence: str


def read_rows() -> dict[str, Row]:
    """Return the documented failures."""
    rows = read_tables("docs/reliability.md", "what fails")
    return {
        what: Row(quoted(exception)[0], quoted(code)[0], sentence)
        for what, _, exception, code, sentence in rows
    }


@pytest.mark.parametrize("what", CASES)
def test_failure_is_told_as_documented(bench: Bench, what: str) -> None:
    """The class, the code of the answer, and a sentence that says what to do."""
    with pytest.raises(errors.ModelStoreError) as raised:
        CASES[what](bench)
    row, sentence = read_rows()[what], str(raised.value)
    assert (type(raised.value).__name__, outcome(raised.value)) == (row.exception, row.code)
    assert fnmatchcase(sentence, row.sentence.replace("[", "[[]").replace("…", "*")), sentence
    assert "\n" not in sentence


def test_every_documented_failure_is_provoked_and_none_is_internal() -> None:
    """A load fails in no way that is not known."""
    rows = read_rows()
    assert list(rows) == list(CASES)
    assert "internal" not in {row.code for row in rows.values()}


def test_every_class_that_a_load_raises_is_documented() -> None:
    """All but those that are about a caller's text."""
    classes = {
        name
        for name, error in vars(errors).items()
        if isinstance(error, type)
        and issubclass(error, errors.ModelStoreError)
        and not issubclass(error, errors.InputError)
    }
    assert classes - {"ModelStoreError"} == {row.exception for row in read_rows().values()}

"""One directory is one training: nothing else goes on in it, and nothing blocks it for good."""

import json
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_store.checkpoints import read_checkpoint, write_transformers_dir
from model_store.masked_lm.training import trainer
from model_store.masked_lm.training.options import TrainingOptions
from model_store.masked_lm.training.run_directory import RunDirectory

pytestmark = pytest.mark.usefixtures("without_graphs")

MakeOptions = Callable[..., TrainingOptions]
Record = dict[str, Any]
SHORT = {"sequence_length": 16, "steps": 4, "save_every": 2, "measure_every": 4}
"""One shape, one graph."""


def stop_after(steps: int) -> Callable[[Record], None]:
    """Return a report that stops a training as a crash would."""

    def report(record: Record) -> None:
        if record["event"] == "step" and record["step"] == steps:
            raise KeyboardInterrupt

    return report


def interrupt(options: TrainingOptions, steps: int) -> None:
    """Train for so many steps."""
    with pytest.raises(KeyboardInterrupt):
        trainer.train(options, stop_after(steps))


def steps_made(options: TrainingOptions) -> list[int]:
    """Train, and return the steps that were made."""
    records: list[Record] = []
    trainer.train(options, records.append)
    return [record["step"] for record in records if record["event"] == "step"]


def test_first_run_that_failed_blocks_nothing(make_options: MakeOptions, tmp_path: Path) -> None:
    """Nothing was learnt yet, so whatever is asked for next may begin."""
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"Good enough.\n\xff")
    with pytest.raises(ValueError, match=r"bad\.txt is no UTF-8 text: byte 13"):
        trainer.train(make_options(**SHORT, texts=(bad,)))
    with pytest.raises(ValueError, match="is not finite at step"):
        trainer.train(make_options(**SHORT, learning_rate=1e38, warmup_steps=1))
    assert steps_made(make_options(**SHORT)) == [1, 2, 3, 4]


@pytest.mark.parametrize("when", ["before the first save", "after it"])
def test_loss_that_is_no_number_stops_the_run(
    when: str, make_options: MakeOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says at which step; the state before it is kept, and no result is written."""
    options = make_options(**SHORT)
    last = 1 if when == "before the first save" else 3
    make_step = trainer.Trainer._make_step

    def spoil(self: Any) -> None:
        if self._step == last:
            weight = self._model.trainable_variables[0]
            weight.assign(np.full(weight.shape, np.nan, np.float32))
        make_step(self)

    with monkeypatch.context() as patched:
        patched.setattr(trainer.Trainer, "_make_step", spoil)
        with pytest.raises(ValueError, match=rf"is not finite at step {last + 1}") as raised:
            trainer.train(options)
    assert ("the state after step 2 is kept in" in str(raised.value)) == (last == 3)
    assert not (options.out / "config.json").exists()
    assert steps_made(options) == ([3, 4] if last == 3 else [1, 2, 3, 4])


def test_weights_that_are_no_numbers_are_not_saved(
    make_options: MakeOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The update that spoils them comes after its own loss, which looks well."""
    options = make_options(**SHORT)
    save = trainer.Trainer._save

    def spoil(self: Any) -> None:
        if self._step == 4:
            weight = self._model.trainable_variables[0]
            weight.assign(np.full(weight.shape, np.inf, np.float32))
        save(self)

    with monkeypatch.context() as patched:
        patched.setattr(trainer.Trainer, "_save", spoil)
        with pytest.raises(ValueError, match="The model is not finite at step 4, "):
            trainer.train(options)
    assert steps_made(options) == [3, 4]


def test_paths_may_be_written_otherwise(
    make_options: MakeOptions, text_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative, absolute, or through a copy: what is in the files counts."""
    options = make_options(**SHORT)
    interrupt(options, 3)
    shutil.copy(text_dir / "heldout.txt", tmp_path / "copy.txt")
    monkeypatch.chdir(text_dir)
    other = replace(
        options,
        init="./tiny",
        texts=(Path("./a.txt"), Path("../") / text_dir.name / "b.txt"),
        heldout=tmp_path / "copy.txt",
    )
    assert steps_made(other) == [3, 4]


@pytest.mark.parametrize("replaced", ["text", "heldout", "init"])
def test_replaced_files_do_not_go_on(
    replaced: str, make_options: MakeOptions, text_dir: Path, tmp_path: Path
) -> None:
    """Another content under the same path is another training."""
    init, text, heldout = (tmp_path / name for name in ("tiny", "a.txt", "heldout.txt"))
    shutil.copytree(text_dir / "tiny", init)
    shutil.copy(text_dir / "a.txt", text)
    shutil.copy(text_dir / "heldout.txt", heldout)
    options = make_options(**SHORT, init=str(init), texts=(text,), heldout=heldout)
    interrupt(options, 3)
    if replaced == "init":
        checkpoint = read_checkpoint(init)
        shutil.rmtree(init)
        changed = {name: array + 1 for name, array in checkpoint.variables.items()}
        write_transformers_dir(replace(checkpoint, variables=changed), init)
    else:
        path = text if replaced == "text" else heldout
        path.write_text(path.read_text("utf-8").replace("cat", "cow"), "utf-8")
    with pytest.raises(ValueError, match=f"holds a training with another {replaced}; give the sam"):
        trainer.train(options)


def test_two_runs_do_not_share_a_directory(make_options: MakeOptions) -> None:
    """The second one says so; when the first has ended, it may go on."""
    options = make_options(**SHORT)
    with (
        RunDirectory(options.out).locked(),
        pytest.raises(ValueError, match="Another run trains in"),
    ):
        trainer.train(options)
    assert steps_made(options) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda _: b"", lambda _: b"no archive"]
)
def test_damaged_state_is_said_in_a_sentence(
    damage: Callable[[bytes], bytes], make_options: MakeOptions
) -> None:
    """It says what to delete."""
    options = make_options(**SHORT)
    state = options.out / "training" / "state.npz"
    state.parent.mkdir(parents=True)
    np.savez(state, facts=np.zeros(4, np.uint8))
    state.write_bytes(damage(state.read_bytes()))
    with pytest.raises(ValueError, match=r"state\.npz is damaged; delete .*training to start anew"):
        trainer.train(options)


def test_state_of_another_shape_is_said_in_a_sentence(make_options: MakeOptions) -> None:
    """An archive that reads well may still lack a variable."""
    options = make_options(**SHORT)
    interrupt(options, 3)
    state = options.out / "training" / "state.npz"
    with np.load(state) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["variable_0"] = np.zeros((1, 1), np.float32)
    np.savez(state, **arrays)
    with pytest.raises(ValueError, match=r"state\.npz is damaged"):
        trainer.train(options)


def test_deleted_log_is_begun_anew(make_options: MakeOptions) -> None:
    """What is logged from then on reads as JSON, and the run ends as it would have."""
    options = make_options(**SHORT)
    interrupt(options, 3)
    log = options.out / "training" / "log.jsonl"
    log.unlink()
    assert steps_made(options) == [3, 4]
    events = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [event["step"] for event in events if event["event"] == "heldout"] == [4]
    log.unlink()
    assert steps_made(options) == []


def test_out_that_cannot_be_made_is_an_os_error(make_options: MakeOptions, tmp_path: Path) -> None:
    """The command makes a sentence of it, which names the path."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file") as raised:
        trainer.train(make_options(out=tmp_path / "file" / "out"))
    assert raised.value.filename


def test_every_file_of_a_result_can_be_read_alike(make_options: MakeOptions) -> None:
    """The image's user is another one than who trained."""
    options = make_options(**SHORT | {"steps": 0})
    trainer.train(options)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in options.out.iterdir() if path.is_file()}
    assert len(modes) == 1
    assert modes.pop() & 0o044 == 0o044

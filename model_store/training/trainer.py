"""One training from its preset to its result.

out/
  config.json model.safetensors tokenizer.json ...   the result, when all steps are made
  training/log.jsonl                                 a line for each measurement
  training/loss.png                                  its picture, where matplotlib is installed
  training/state.npz                                 what a killed run goes on from
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import keras

from model_store.checkpoints import write_transformers_dir
from model_store.masked_lm.masked_lm import BertMaskedLM
from model_store.training.batch_stream import BatchStream
from model_store.training.heldout import HeldoutMeter, HeldoutText, Measurement
from model_store.training.optimizer import make_optimizer
from model_store.training.options import TrainingOptions
from model_store.training.saved_state import (
    SavedState,
    assign_variables,
    read_state,
    read_variables,
    write_state,
)
from model_store.training.training_log import TrainingLog, plot_losses

Report: TypeAlias = Callable[[dict[str, Any]], None]
"""Called with every line of the log, and after every step with its loss, `event` saying which.

What it raises ends the training.
"""


def train(options: TrainingOptions, report: Report = lambda _record: None) -> Measurement:
    """Train, or go on with what a killed run left, and write the result.

    Returns:
        The last measurement of the held-out text.

    Raises:
        ModelStoreError: the preset to start from cannot be had.
        ValueError: a text file is missing or empty, or `out` belongs to something else.
    """
    return Trainer(options, report).run()


class Trainer:
    """A model, its texts, and the files of their training."""

    def __init__(self, options: TrainingOptions, report: Report) -> None:
        """Load what `train` needs, and go to where a killed run was."""
        directory = options.out / "training"
        self._state_path = directory / "state.npz"
        saved = _find_state(self._state_path, options)
        # Seeds of dropout are drawn while the model is built.
        keras.utils.set_random_seed(options.seed)
        self._options = options
        self._report = report
        self._model = _make_model(options)
        tokenizer = self._model.preprocessor.tokenizer.wordpiece
        text = HeldoutText(
            options.heldout,
            tokenizer,
            sequence_length=options.sequence_length,
            rows=options.heldout_rows,
        )
        self._meter = HeldoutMeter(self._model, text)
        self._stream = BatchStream(options, tokenizer) if options.steps else None
        directory.mkdir(parents=True, exist_ok=True)
        self._log = TrainingLog(directory / "log.jsonl")
        self._step = 0
        self._losses: list[float] = []
        self._tokens = 0
        self._started = time.perf_counter()
        self._log.truncate(saved.log_bytes if saved else 0)
        if saved:
            self._restore(saved)

    def run(self) -> Measurement:
        """Make the steps that are left, and write the result."""
        if not self._step and not self._log.nbytes:
            self._measure()
            self._save()
        while self._step < self._options.steps:
            self._make_step()
        if self._stream:
            self._stream.close()
        self._write_result()
        last = [record for record in self._log.read() if record["event"] == "heldout"][-1]
        return Measurement(last["loss"], last["top1"], last["top5"], last["masks"])

    def _make_step(self) -> None:
        # There are steps, so there is a stream.
        assert self._stream is not None  # noqa: S101  # nosec B101
        features, labels, weights = self._stream.next_batch()
        self._model.reset_metrics()
        logs = self._model.train_on_batch(features, labels, weights, return_dict=True)
        self._step += 1
        loss = float(logs["loss"])
        self._losses.append(loss)
        self._tokens += int(features["padding_mask"].sum())
        if self._step % self._options.log_every == 0:
            self._log_losses()
        is_last = self._step == self._options.steps
        if is_last or self._step % self._options.measure_every == 0:
            self._measure()
        if is_last or self._step % self._options.save_every == 0:
            self._save()
        self._report({"event": "step", "step": self._step, "loss": loss})

    def _log_losses(self) -> None:
        seconds = time.perf_counter() - self._started
        self._report(
            self._log.write(
                event="train",
                step=self._step,
                loss=sum(self._losses) / len(self._losses),
                tokens_per_second=round(self._tokens / seconds),
            )
        )
        self._losses, self._tokens, self._started = [], 0, time.perf_counter()

    def _measure(self) -> None:
        begun = time.perf_counter()
        measured = asdict(self._meter.measure())
        self._report(self._log.write(event="heldout", step=self._step, **measured))
        # Measuring is no part of the speed of training.
        self._started += time.perf_counter() - begun

    def _save(self) -> None:
        state = SavedState(
            step=self._step,
            options=self._options.describe(),
            losses=self._losses,
            log_bytes=self._log.nbytes,
            variables=read_variables(self._model),
            stream=self._stream.state() if self._stream else {},
        )
        write_state(state, self._state_path)

    def _restore(self, saved: SavedState) -> None:
        assign_variables(self._model, saved.variables)
        if self._stream:
            self._stream.restore(saved.stream)
        self._step, self._losses = saved.step, list(saved.losses)

    def _write_result(self) -> None:
        """Write the preset; `config.json` comes last, for it makes a directory a preset."""
        unfinished = self._state_path.parent / "preset"
        shutil.rmtree(unfinished, ignore_errors=True)
        checkpoint = self._model.to_checkpoint()
        write_transformers_dir(checkpoint, unfinished, dtype=self._options.stored_precision)
        for path in sorted(unfinished.iterdir(), key=lambda path: path.name == "config.json"):
            path.replace(self._options.out / path.name)
        unfinished.rmdir()
        try:
            plot_losses(self._log.read(), self._state_path.with_name("loss.png"))
        except ImportError:
            self._report(
                {"event": "note", "note": "install matplotlib for a picture of the losses"}
            )


def _find_state(path: Path, options: TrainingOptions) -> SavedState | None:
    """Return what a killed run left, if it was this training."""
    saved = read_state(path)
    if saved is None and (options.out / "config.json").exists():
        message = f"{options.out} holds a preset already; choose another directory."
        raise ValueError(message)
    if saved is None:
        return None
    described = options.describe()
    other = sorted(name for name in described if described[name] != saved.options.get(name))
    if other:
        message = (
            f"{options.out} holds a training with another {', '.join(other)}; "
            "give the same options to go on, or choose another directory."
        )
        raise ValueError(message)
    return saved


def _make_model(options: TrainingOptions) -> Any:
    """Return the preset's model, compiled, its optimizer's variables made."""
    model = BertMaskedLM.from_preset(options.init, dtype=options.precision)
    longest = model.backbone.max_sequence_length
    if options.sequence_length > longest:
        message = f"{options.init} takes {longest} tokens; give a sequence_length of no more."
        raise ValueError(message)
    model.compile(
        optimizer=make_optimizer(options),
        loss=keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        ),
        weighted_metrics=None,
    )
    model.optimizer.build(model.trainable_variables)
    return model

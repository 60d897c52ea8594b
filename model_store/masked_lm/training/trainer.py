"""One training from its preset to its result."""

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np

from model_store.checkpoints import write_transformers_dir
from model_store.checkpoints.checkpoint import Array
from model_store.masked_lm.families import MaskedLM
from model_store.masked_lm.preset import DEFAULT_DIRECTORY, find_files
from model_store.masked_lm.stored.weights import read_weights
from model_store.masked_lm.training.feed.batch_stream import BatchStream
from model_store.masked_lm.training.heldout import HeldoutMeter, HeldoutText, Measurement
from model_store.masked_lm.training.loss import MaskedCrossEntropy
from model_store.masked_lm.training.optimizer import make_optimizer
from model_store.masked_lm.training.options import TrainingOptions
from model_store.masked_lm.training.run_directory import RunDirectory, identify
from model_store.masked_lm.training.saved_state import (
    SavedState,
    assign_variables,
    damaged,
    read_variables,
    write_state,
)
from model_store.masked_lm.training.training_log import TrainingLog, plot_losses

Report: TypeAlias = Callable[[dict[str, Any]], None]
"""Called with every line of the log, and after every step with its loss, `event` saying which.

What it raises ends the training.
"""


def train(
    options: TrainingOptions,
    report: Report = lambda _record: None,
    *,
    directory: Path = DEFAULT_DIRECTORY,
    offline: bool = False,
) -> Measurement:
    """Train, or go on with what a killed run left, and write the result.

    Args:
        options: what to do.
        report: told how it goes.
        directory: the model store's, where fetched presets are and are put.
        offline: whether no connection may be tried.

    Returns:
        The last measurement of the held-out text.

    Raises:
        ModelStoreError: the preset to start from cannot be had.
        ValueError: a text file cannot be used, `out` belongs to something else, or the loss is
            no number any more.
        OSError: a file cannot be read or written.
    """
    files = find_files(options.init, directory=directory, offline=offline)
    place = RunDirectory(options.out)
    place.require_own()
    with place.locked():
        return Trainer(options, files, place, report).run()


class Trainer:
    """A model, its texts, and the files of their training."""

    def __init__(
        self, options: TrainingOptions, files: Path, place: RunDirectory, report: Report
    ) -> None:
        """Load what `train` needs, and go to where a killed run was."""
        # Seeds of dropout are drawn while the model is built.
        keras.utils.set_random_seed(options.seed)
        self._options = options
        self._place = place
        self._report = report
        self._model = make_model(options, files)
        start = self._model.to_checkpoint()
        # It is fed what is masked already.
        self._model.preprocessor = None
        self._unlearnt = replace(start, variables={})
        self._identity = identify(options, start)
        saved = place.find_state(self._identity)
        text = HeldoutText(
            options.heldout,
            start.tokenizer,
            sequence_length=options.sequence_length,
            rows=options.heldout_rows,
        )
        self._meter = HeldoutMeter(self._model, text)
        self._stream = BatchStream(options, start.tokenizer) if options.steps else None
        self._log = TrainingLog(place.log)
        self._step = self._saved_step = 0
        self._losses: list[float] = []
        self._measured: dict[str, Any] = {}
        self._tokens = 0
        self._started = time.perf_counter()
        self._log.truncate(saved.log_bytes if saved else 0)
        if saved:
            self._restore(saved)

    def run(self) -> Measurement:
        """Make the steps that are left, and write the result."""
        if not self._measured:
            self._measure()
            self._save()
        while self._step < self._options.steps:
            self._make_step()
        if self._stream:
            self._stream.close()
        self._write_result()
        return Measurement(**self._measured)

    def _make_step(self) -> None:
        # There are steps, so there is a stream.
        assert self._stream is not None  # noqa: S101  # nosec B101
        made, labels, weights = self._stream.next_batch()
        features = {name: made[name] for name in self._model.input}
        self._model.reset_metrics()
        logs = self._model.train_on_batch(features, labels, weights, return_dict=True)
        self._step += 1
        loss = float(logs["loss"])
        self._require_finite("loss", loss)
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
        self._measured = asdict(self._meter.measure())
        self._require_finite("loss of the held-out text", self._measured["loss"])
        self._report(self._log.write(event="heldout", step=self._step, **self._measured))
        # Measuring is no part of the speed of training.
        self._started += time.perf_counter() - begun

    def _save(self) -> None:
        variables = read_variables(self._model)
        self._require_finite("model", *variables)
        state = SavedState(
            step=self._step,
            identity=self._identity,
            losses=self._losses,
            measured=self._measured,
            log_bytes=self._log.nbytes,
            variables=variables,
            stream=self._stream.state() if self._stream else {},
        )
        write_state(state, self._place.state)
        self._saved_step = self._step

    def _restore(self, saved: SavedState) -> None:
        try:
            assign_variables(self._model, saved.variables)
            if self._stream:
                self._stream.restore(saved.stream)
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(self._place.state) from error
        self._step = self._saved_step = saved.step
        self._losses, self._measured = list(saved.losses), dict(saved.measured)

    def _require_finite(self, what: str, *numbers: Array | float) -> None:
        """Stop when numbers have left the range of numbers.

        Raises:
            ValueError: one has.
        """
        if all(map(_is_finite, numbers)):
            return
        where, advice = "before any step", "start from another preset"
        if self._step:
            where = f"at step {self._step}, where the training was stopped"
            advice = "give a lower learning_rate or more warmup_steps"
        if self._saved_step:
            advice = (
                f"the state after step {self._saved_step} is kept in {self._place.training}; "
                f"{advice}, and another directory"
            )
        message = f"The {what} is not finite {where}: {advice}."
        raise ValueError(message)

    def _write_result(self) -> None:
        """Write the preset; `config.json` comes last, for it makes a directory a preset."""
        unfinished = self._place.training / "preset"
        shutil.rmtree(unfinished, ignore_errors=True)
        checkpoint = replace(self._unlearnt, variables=read_weights(self._model))
        write_transformers_dir(checkpoint, unfinished, dtype=self._options.stored_precision)
        for path in sorted(unfinished.iterdir(), key=lambda path: path.name == "config.json"):
            path.replace(self._place.out / path.name)
        unfinished.rmdir()
        try:
            plot_losses(self._log.read(), self._place.plot)
        except ImportError:
            self._report(
                {"event": "note", "note": "install matplotlib for a picture of the losses"}
            )


def _is_finite(numbers: Array | float) -> bool:
    return bool(np.isfinite(numbers).all())


def make_model(options: TrainingOptions, files: Path) -> Any:
    """Return the preset's model, compiled, its optimizer's variables made."""
    # Keras would keep measuring what the first compilation asked for: accuracy, in vain.
    model = MaskedLM.from_preset(files.absolute(), dtype=options.precision, compile=False)
    longest = model.backbone.max_sequence_length
    if options.sequence_length > longest:
        message = f"{options.init} takes {longest} tokens; give a sequence_length of no more."
        raise ValueError(message)
    model.compile(
        optimizer=make_optimizer(options),
        loss=MaskedCrossEntropy(),
        weighted_metrics=None,
    )
    model.optimizer.build(model.trainable_variables)
    return model

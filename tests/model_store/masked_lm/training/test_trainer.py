"""A training learns, can be killed at any moment, and ends in a preset."""

import json
import math
import re
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from model_store.checkpoints import read_checkpoint
from model_store.errors import ModelStoreError
from model_store.masked_lm.families.bert import BertMaskedLM
from model_store.masked_lm.training import trainer
from model_store.masked_lm.training.heldout import HeldoutMeter, HeldoutText, measure_preset
from model_store.masked_lm.training.optimizer import WarmupDecay, make_optimizer
from model_store.masked_lm.training.options import TrainingOptions
from model_store.masked_lm.training.training_log import plot_losses

MakeOptions = Callable[..., TrainingOptions]
Record = dict[str, Any]


def train(options: TrainingOptions, *, stop_after: int | None = None) -> list[Record]:
    """Train and return what was reported; stop as a crash would after so many steps."""
    records: list[Record] = []

    def report(record: Record) -> None:
        records.append(record)
        if record["event"] == "step" and record["step"] == stop_after:
            raise KeyboardInterrupt

    trainer.train(options, report)
    return records


def read_log(out: Path) -> list[Record]:
    """Return the log of a training without its clock."""
    lines = (out / "training" / "log.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return [
        {name: value for name, value in record.items() if name != "tokens_per_second"}
        for record in records
    ]


@pytest.fixture(scope="module")
def finished(text_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingOptions:
    """An undisturbed training."""
    options = TrainingOptions(
        init=str(text_dir / "tiny"),
        texts=(text_dir / "a.txt", text_dir / "b.txt"),
        heldout=text_dir / "heldout.txt",
        out=tmp_path_factory.mktemp("finished") / "out",
        steps=12,
        batch_tokens=128,
        sequence_length=16,  # one shape, one graph
        shuffle_buffer=64,
        learning_rate=3e-3,
        warmup_steps=3,
        measure_every=6,
        save_every=3,
        log_every=2,
    )
    train(options)
    return options


def assert_same_result(first: Path, second: Path) -> None:
    """Compare the weights and the logs of two trainings."""
    ours, theirs = (read_checkpoint(out).variables for out in (first, second))
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert np.allclose(array, theirs[name], rtol=0, atol=1e-6), name
    for mine, other in zip(read_log(first), read_log(second), strict=True):
        assert mine == pytest.approx(other, abs=1e-5)


def test_training_lowers_the_loss_of_heldout_text(finished: TrainingOptions) -> None:
    """It is measured at the start, on the way, and at the end."""
    measured = [record for record in read_log(finished.out) if record["event"] == "heldout"]
    assert [record["step"] for record in measured] == [0, 6, 12]
    assert measured[-1]["loss"] < measured[0]["loss"] * 0.8
    assert all(0 <= record["top1"] <= record["top5"] <= 1 for record in measured)


def test_result_is_a_preset(finished: TrainingOptions, text_dir: Path) -> None:
    """It reads back, with the tokenizer of the start and weights that have moved."""
    result, start = read_checkpoint(finished.out), read_checkpoint(text_dir / "tiny")
    assert result.tokenizer.vocabulary == start.tokenizer.vocabulary
    assert all(
        not np.array_equal(result.variables[name], array) for name, array in start.variables.items()
    )


@pytest.mark.parametrize("stop_after", [pytest.param(1, marks=pytest.mark.slow), 8])
def test_interrupted_training_goes_on(
    stop_after: int, finished: TrainingOptions, tmp_path: Path
) -> None:
    """Before any step was saved, and after a line of the log that no saved state knows."""
    options = replace(finished, out=tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        train(options, stop_after=stop_after)
    train(options)
    assert_same_result(options.out, finished.out)


mixed = pytest.mark.parametrize(
    "precision", [pytest.param("mixed_bfloat16", marks=pytest.mark.slow), "mixed_float16"]
)


@mixed
def test_mixed_precision_learns(precision: str, make_options: MakeOptions) -> None:
    """What is computed low is measured and stored in float32."""
    options = make_options(precision=precision, sequence_length=16)
    before, *_, after = [record for record in train(options) if record["event"] == "heldout"]
    assert after["loss"] < before["loss"] * 0.8
    variables = read_checkpoint(options.out).variables.values()
    assert {array.dtype for array in variables} == {np.dtype(np.float32)}


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@mixed
def test_mixed_precision_learns_with_pytorch(precision: str, make_options: MakeOptions) -> None:
    """As with TensorFlow."""
    test_mixed_precision_learns(precision, make_options)


def test_finished_training_is_not_made_again(finished: TrainingOptions) -> None:
    """The same command again makes no step."""
    before = read_log(finished.out)
    assert not [record for record in train(finished) if record["event"] == "step"]
    assert read_log(finished.out) == before


def test_other_options_do_not_go_on(finished: TrainingOptions) -> None:
    """Half a training of each would be neither."""
    with pytest.raises(ValueError, match="another learning_rate, seed; give the same to go on"):
        train(replace(finished, learning_rate=1e-3, seed=9))


def test_foreign_preset_is_not_overwritten(text_dir: Path, finished: TrainingOptions) -> None:
    """A directory with a model that was not trained here is left alone."""
    with pytest.raises(ValueError, match="holds a preset already"):
        train(replace(finished, out=text_dir / "tiny"))


def test_no_steps_only_measure(finished: TrainingOptions, text_dir: Path, tmp_path: Path) -> None:
    """The weights are those of the start, and the loss is that before training."""
    options = replace(finished, out=tmp_path / "out", steps=0, stored_precision="float16")
    train(options)
    assert read_log(options.out)[0]["loss"] == pytest.approx(read_log(finished.out)[0]["loss"])
    start = read_checkpoint(text_dir / "tiny").variables
    for name, array in read_checkpoint(options.out).variables.items():
        assert array.dtype == np.float16
        assert np.allclose(array, start[name], rtol=1e-3, atol=1e-4)


def test_too_long_rows_are_refused(finished: TrainingOptions, tmp_path: Path) -> None:
    """The model has no positions for them."""
    with pytest.raises(ValueError, match="takes 64 tokens"):
        train(replace(finished, out=tmp_path / "out", sequence_length=128, batch_tokens=128))


def test_unknown_preset_is_refused(finished: TrainingOptions, tmp_path: Path) -> None:
    """Nothing is written."""
    with pytest.raises(ModelStoreError):
        train(replace(finished, init="no_such_preset", out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", -1),
        ("batch_tokens", 8),
        ("log_every", 0),
        ("learning_rate", -1.0),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("learning_rate", math.inf),
        ("clip_norm", -1.0),
        ("clip_norm", math.nan),
        ("weight_decay", -0.1),
        ("weight_decay", math.nan),
        ("short_share", 1.1),
        ("short_share", math.nan),
        ("mask_selection_rate", 0.0),
        ("mask_selection_rate", 1.5),
        ("rarity_share", -0.1),
        ("everywhere_share", 1.1),
        ("whole_word_share", math.nan),
        ("mask_token_rate", 1.1),
        ("random_token_rate", 0.3),
        ("row_lengths", (16, 8)),
        ("row_lengths", (4,)),
        ("row_lengths", (256,)),
        ("seed", -1),
        ("seed", 2**32),
    ],
)
def test_wrong_options_are_refused(name: str, value: int, finished: TrainingOptions) -> None:
    """The message names the option."""
    with pytest.raises(ValueError, match=f"^{re.escape(f'{name} is {value}; give')}"):
        replace(finished, **{name: value})


@pytest.mark.parametrize(("schedule", "middle"), [("linear", 0.5), ("cosine", 0.5)])
def test_learning_rate_rises_and_falls(schedule: str, middle: float) -> None:
    """From nearly nothing to the highest and to nothing."""
    rate = WarmupDecay(1.0, 10, 110, schedule)
    rates = [float(rate(step)) for step in range(110)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == pytest.approx(1.0)
    assert rates[59] == pytest.approx(middle)
    assert rates[109] == pytest.approx(0.0, abs=1e-6)
    quarter = 0.75 if schedule == "linear" else 0.5 * (1 + np.cos(np.pi / 4))
    assert rates[34] == pytest.approx(quarter, abs=1e-5)


def test_step_measures_nothing_but_its_loss(finished: TrainingOptions) -> None:
    """An accuracy that nobody reads would cost a pass over all logits."""
    model = trainer.make_model(finished, Path(finished.init))
    assert [metric.name for metric in model.metrics] == ["loss"]


def test_biases_and_layer_norm_do_not_decay(finished: TrainingOptions) -> None:
    """Without a gradient only decay moves a weight."""
    options = replace(finished, weight_decay=0.5, learning_rate=0.1, warmup_steps=1)
    model = BertMaskedLM.from_preset(options.init)
    optimizer = make_optimizer(options)
    weights = model.trainable_variables
    before = [keras.ops.convert_to_numpy(weight) for weight in weights]
    optimizer.build(weights)
    optimizer.apply([keras.ops.zeros_like(weight) for weight in weights], weights)
    still = {
        weight.path
        for weight, old in zip(weights, before, strict=True)
        if np.array_equal(keras.ops.convert_to_numpy(weight), old)
    }
    expected = {
        weight.path for weight in weights if weight.path.endswith(("/bias", "/gamma", "/beta"))
    }
    assert still == expected


def test_measuring_a_preset_is_repeatable(finished: TrainingOptions) -> None:
    """The masks are always the same, so that two models can be compared."""
    tokenizer = read_checkpoint(finished.out).tokenizer
    first, second = (HeldoutText(finished.heldout, tokenizer).examples for _ in range(2))
    for (features, _, _), (same, _, _) in zip(first, second, strict=True):
        assert np.array_equal(features["token_ids"], same["token_ids"])
    measured = measure_preset(str(finished.out), finished.heldout, rows=20)
    assert 0 < measured.loss < np.log(len(tokenizer.vocabulary))


def test_measured_loss_is_the_mean_of_all_masks(finished: TrainingOptions) -> None:
    """Held against NumPy: batches of any size, and padding, weigh nothing."""
    model = BertMaskedLM.from_preset(finished.init)
    text = HeldoutText(
        finished.heldout,
        model.preprocessor.tokenizer.subwords,
        sequence_length=16,
        batch_tokens=96,
    )
    losses, hits = [], []
    for features, labels, weights in text.examples:
        real = weights == 1
        logits = np.asarray(model(features), np.float64)[real]
        logits -= logits.max(axis=1, keepdims=True)
        scores = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        losses.extend(-scores[np.arange(len(scores)), labels[real]])
        hits.extend(scores.argmax(axis=1) == labels[real])
        masked = np.take_along_axis(features["token_ids"], features["mask_positions"], axis=1)
        assert (masked[real] == model.preprocessor.tokenizer.mask_token_id).all()
    measured = HeldoutMeter(model, text).measure()
    assert measured.masks == len(losses)
    assert measured.loss == pytest.approx(np.mean(losses), rel=1e-4)
    assert measured.top1 == pytest.approx(np.mean(hits), abs=1e-6)


def test_losses_are_plotted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both curves, with a stand-in for matplotlib, which only trainings need."""
    drawn: list[Any] = []

    class Anything:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def plot(self, steps: Any, losses: Any, _: str, label: str) -> None:
            drawn.append((label, steps, losses))

        def get_legend_handles_labels(self) -> Any:
            return [1], ["train"]

        def add_subplot(self) -> Any:
            return self

        def savefig(self, path: Path, **_: Any) -> None:
            path.write_bytes(b"png")

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_, **__: None

    for name in ("matplotlib", "matplotlib.backends", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(
        sys.modules["matplotlib.backends.backend_agg"], "FigureCanvasAgg", Anything, raising=False
    )
    figure = types.ModuleType("matplotlib.figure")
    monkeypatch.setattr(figure, "Figure", Anything, raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", figure)
    records = [
        {"event": "heldout", "step": 0, "loss": 5.0},
        {"event": "train", "step": 2, "loss": 4.0},
        {"event": "train", "step": 4, "loss": 3.0},
    ]
    plot_losses(records, tmp_path / "loss.png")
    assert drawn == [("train", (2, 4), (4.0, 3.0)), ("heldout", (0,), (5.0,))]
    assert (tmp_path / "loss.png").exists()

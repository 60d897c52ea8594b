"""Steps of our training beside those of a plain PyTorch loop, turn by turn.

    .venv-bench/bin/python -m bench.training_speed [ROUNDS]

Each variant is a process of its own, which sleeps while another one makes its step: what else the
machine does hits all of them alike. Processor time counts beside seconds, for a machine that is
shared. All make the same step: 48 rows of 128 tokens, 19 masks each, forward, backward, clipped
AdamW.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import IO, cast

import numpy as np

ROWS, LENGTH, MASKS = 48, 128, 19
PLAIN = "plain PyTorch, bfloat16 autocast"
VARIANTS = {
    PLAIN: ("", ""),
    "fillmask torch mixed_bfloat16": ("torch", "mixed_bfloat16"),
    "fillmask tensorflow mixed_bfloat16": ("tensorflow", "mixed_bfloat16"),
    "fillmask tensorflow float32": ("tensorflow", "float32"),
    "fillmask jax float32": ("jax", "float32"),
}
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
Step = Callable[[Batch], float]


def make_batch(rng: np.random.Generator) -> Batch:
    """Return tokens with masks, the masks' positions, and what stood there."""
    tokens = rng.integers(1000, 30_000, (ROWS, LENGTH)).astype(np.int32)
    order = np.argsort(rng.random((ROWS, LENGTH - 2)), axis=1)[:, :MASKS]
    positions = np.sort(order + 1, axis=1).astype(np.int32)
    labels = np.take_along_axis(tokens, positions, axis=1)
    np.put_along_axis(tokens, positions, 103, axis=1)
    return tokens, positions, labels


def make_plain_step(preset: Path) -> Step:
    """Return the loop that one would write: the vocabulary at the masks only."""
    import torch  # noqa: PLC0415  # a process imports what it measures
    from torch.nn.functional import cross_entropy  # noqa: PLC0415
    from transformers import BertForMaskedLM  # noqa: PLC0415

    # A directory: nothing is downloaded.
    model = BertForMaskedLM.from_pretrained(preset, dtype=torch.float32).train()  # nosec B615
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.98), eps=1e-6)

    def step(batch: Batch) -> float:
        tokens, positions, labels = (torch.from_numpy(array).long() for array in batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = model.bert(tokens).last_hidden_state
            places = positions[..., None].expand(-1, -1, hidden.shape[-1])
            logits = model.cls(torch.gather(hidden, 1, places)).float()
            loss = cross_entropy(logits.flatten(0, 1), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return float(loss)

    return step


def make_our_step(preset: Path, precision: str) -> Step:
    """Return the step of `fillmask train`."""
    from model_store.masked_lm.training.options import TrainingOptions  # noqa: PLC0415
    from model_store.masked_lm.training.trainer import make_model  # noqa: PLC0415

    options = TrainingOptions(
        init=str(preset),
        texts=(),
        heldout=Path(),
        out=Path(),
        steps=1000,
        precision=precision,  # type: ignore[arg-type]  # one of its names
    )
    model = make_model(options, preset)
    model.preprocessor = None

    def step(batch: Batch) -> float:
        tokens, positions, labels = batch
        features = {
            "token_ids": tokens,
            "segment_ids": np.zeros_like(tokens),
            "padding_mask": np.ones_like(tokens),
            "mask_positions": positions,
        }
        weights = np.ones(labels.shape, np.float32)
        return float(model.train_on_batch(features, labels, weights, return_dict=True)["loss"])

    return step


def work(preset: Path, precision: str) -> None:
    """Make a step for each line of the input, and say what it took; the first ones are no news."""
    step = make_our_step(preset, precision) if precision else make_plain_step(preset)
    rng = np.random.default_rng(0)
    for _ in range(2):
        step(make_batch(rng))
    print(json.dumps("ready"), flush=True)
    for _ in sys.stdin:
        batch = make_batch(rng)
        begun, used = perf_counter(), process_time()
        step(batch)
        print(json.dumps([perf_counter() - begun, process_time() - used]), flush=True)


def ask(process: "subprocess.Popen[str]") -> list[float]:
    """Have a process make a step."""
    cast("IO[str]", process.stdin).write("\n")
    cast("IO[str]", process.stdin).flush()
    answer: list[float] = json.loads(cast("IO[str]", process.stdout).readline())
    return answer


def main(preset: Path, rounds: int) -> None:
    """Print a table in Markdown."""
    processes = {
        name: subprocess.Popen(  # nosec B603  # our own command
            [sys.executable, "-m", "bench.training_speed", "work", str(preset), precision],
            env=os.environ | ({"KERAS_BACKEND": backend} if backend else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for name, (backend, precision) in VARIANTS.items()
    }
    for process in processes.values():
        cast("IO[str]", process.stdout).readline()
    steps = {name: [] for name in processes}  # type: dict[str, list[list[float]]]
    for _ in range(rounds):
        for name, process in processes.items():
            steps[name].append(ask(process))
    for process in processes.values():
        process.communicate()
    print("| step of 6,144 tokens | tokens/s | processor seconds | seconds against plain |")
    print("|---|---:|---:|---:|")
    for name, taken in steps.items():
        seconds, used = (median(column) for column in zip(*taken, strict=True))
        pairs = zip(taken, steps[PLAIN], strict=True)
        ratio = median(ours[0] / plain[0] for ours, plain in pairs)
        print(f"| {name} | {ROWS * LENGTH / seconds:,.0f} | {used:.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    embedded = Path(__file__).parents[1] / "model_store" / "presets" / "minilm_l6_en_uncased"
    if sys.argv[1:2] == ["work"]:
        work(Path(sys.argv[2]), sys.argv[3])
    else:
        main(embedded, int(sys.argv[1]) if sys.argv[1:] else 5)

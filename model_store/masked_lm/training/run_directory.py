"""The directory of one training, and whose it is.

out/
  config.json model.safetensors tokenizer.json ...   the result, when all steps are made
  training/log.jsonl                                 a line for each measurement
  training/loss.png                                  its picture, where matplotlib is installed
  training/state.npz                                 what a killed run goes on from
  training/lock                                      held by the run
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from model_store.checkpoints import Checkpoint
from model_store.masked_lm.training.feed.text_file import check_text
from model_store.masked_lm.training.options import TrainingOptions
from model_store.masked_lm.training.saved_state import SavedState, read_state


class RunDirectory:
    """Where a training keeps what it knows and puts what it makes."""

    def __init__(self, out: Path) -> None:
        """Name the files; none is made yet."""
        self.out = out
        self.training = out / "training"
        self.state = self.training / "state.npz"
        self.log = self.training / "log.jsonl"
        self.plot = self.training / "loss.png"

    def require_own(self) -> None:
        """Leave a directory alone that holds a preset which was not trained in it.

        Raises:
            ValueError: it is such a one.
        """
        if not self.state.is_file() and (self.out / "config.json").exists():
            message = f"{self.out} holds a preset already; choose another directory."
            raise ValueError(message)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out; the system opens the lock of a run that was killed.

        Raises:
            ValueError: another run is at work here.
            OSError: the directory cannot be made or written to.
        """
        self.training.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.training / "lock", timeout=0):
                yield
        except Timeout:
            message = f"Another run trains in {self.out}; let it end, or choose another directory."
            raise ValueError(message) from None

    def find_state(self, identity: dict[str, Any]) -> SavedState | None:
        """Return what a killed run left, where there is anything worth going on from.

        Raises:
            ValueError: that was another training, or it cannot be read.
        """
        saved = read_state(self.state)
        if saved is None or saved.step == 0:
            return None
        other = sorted(name for name in identity if identity[name] != saved.identity.get(name))
        if other:
            message = (
                f"{self.out} holds a training with another {', '.join(other)}; "
                "give the same to go on, choose another directory, or delete "
                f"{self.training}."
            )
            raise ValueError(message)
        return saved


def identify(options: TrainingOptions, start: Checkpoint) -> dict[str, Any]:
    """Return what tells a training from another: its numbers, and what its files hold.

    Raises:
        ValueError: a text file cannot be used.
        OSError: one cannot be read.
    """
    return {
        **options.describe(),
        "init": _digest(start),
        "text": [check_text(path) for path in options.texts],
        "heldout": check_text(options.heldout),
    }


def _digest(checkpoint: Checkpoint) -> str:
    digest = hashlib.sha256(repr(checkpoint.config).encode())
    digest.update(checkpoint.tokenizer.to_json().encode())
    for path, array in sorted(checkpoint.variables.items()):
        digest.update(path.encode())
        digest.update(array.tobytes())
    return digest.hexdigest()

"""How fast a model is trained.

    python -m bench.gpu_check.training DIRECTORY STEPS TOKENS PRECISION

The second half of the steps counts: the first one compiles.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.sentences import make_sentences
from model_store.masked_lm.training.options import TrainingOptions
from model_store.masked_lm.training.trainer import train

_PARAGRAPHS = 2000
_LENGTH = 128


def measure(directory: Path, steps: int, tokens: int, precision: Any) -> dict[str, Any]:
    """Return the tokens a second of the second half of so many steps."""
    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        text = Path(place) / "text.txt"
        texts = (text.replace("[MASK]", "thing") for text in make_sentences(_PARAGRAPHS))
        text.write_text("\n".join(texts), "utf-8")
        options = TrainingOptions(
            init=str(directory),
            texts=(text,),
            heldout=text,
            out=Path(place) / "out",
            steps=steps,
            batch_tokens=tokens,
            sequence_length=_LENGTH,
            row_lengths=(_LENGTH,),
            short_share=0.0,
            precision=precision,
            measure_every=steps,
            save_every=steps,
            log_every=steps // 2,
            heldout_rows=8,
        )
        train(options, lines.append, offline=True)
    speeds = [line["tokens_per_second"] for line in lines if line["event"] == "train"]
    losses = [line["loss"] for line in lines if line["event"] == "train"]
    return {"tokens_per_second": speeds[-1], "first_loss": losses[0], "last_loss": losses[-1]}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])))

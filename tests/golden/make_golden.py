"""Ask Transformers' own pipeline, in float32, and keep its answers.

Run by `make golden`. The tests read `fill_mask_*.jsonl` and need no PyTorch. A line holds a text
and what the pipeline answers: `[score, token, token_str, sequence]` for five predictions a mask.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import pipeline

sys.path.insert(0, str(Path(__file__).parent.parent))

from golden.golden_files import TARGETS
from golden.sentences import masked_sentences
from tiny_checkpoints import write_transformers_dir

HERE = Path(__file__).parent
EMBEDDED = HERE.parents[1] / "model_store" / "presets" / "minilm_l6_en_uncased"


def main() -> None:
    """Write one file a checkpoint."""
    write_answers(EMBEDDED, "uncased")
    with tempfile.TemporaryDirectory() as directory:
        write_answers(write_transformers_dir(Path(directory) / "tiny_cased"), "cased")


def write_answers(directory: Path, name: str) -> None:
    """Ask the pipeline for every sentence, without and with targets."""
    fill_mask: Any = pipeline("fill-mask", str(directory), dtype=torch.float32)
    with (HERE / f"fill_mask_{name}.jsonl").open("w", encoding="utf-8") as file:
        for text in masked_sentences():
            if (
                len(fill_mask.tokenizer(text)["input_ids"])
                > fill_mask.model.config.max_position_embeddings
            ):
                continue
            line = {
                "inputs": text,
                "masks": condense(fill_mask(text)),
                "targets": condense(fill_mask(text, targets=TARGETS)),
            }
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def condense(answer: list[Any]) -> list[Any]:
    """Return one list a mask, however the pipeline nested its answer."""
    masks = [answer] if isinstance(answer[0], dict) else answer
    return [
        [[round(p["score"], 9), p["token"], p["token_str"], p["sequence"]] for p in mask]
        for mask in masks
    ]


if __name__ == "__main__":
    main()

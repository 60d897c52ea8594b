"""Ask Transformers for the logits of small models of every family, and keep them.

Run by `make golden`. The tests read `families.json` and need no PyTorch.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForMaskedLM, logging

sys.path.insert(0, str(Path(__file__).parent.parent))

from family_cases import CASES, GOLDEN, MASK, list_texts, make_tensors, write_family_dir


def main() -> None:
    """Write the answers of all cases."""
    logging.set_verbosity(logging.CRITICAL)
    lines = []
    for name, fields in CASES.items():
        with tempfile.TemporaryDirectory() as directory:
            answer = ask(name.partition(",")[0], fields, Path(directory))
        lines.append(f"{json.dumps(name)}: {json.dumps(answer, separators=(',', ':'))}")
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def ask(model_type: str, fields: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Return what Transformers writes for a config, and the logits of every mask of the texts."""
    config = AutoConfig.for_model(model_type, **fields)
    AutoModelForMaskedLM.from_config(config).save_pretrained(directory / "written")
    written = json.loads((directory / "written" / "config.json").read_text("utf-8"))
    with safe_open(directory / "written" / "model.safetensors", "np") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in sorted(file.keys())}
    filled = write_family_dir(directory / "filled", written, make_tensors(shapes))
    model, report = AutoModelForMaskedLM.from_pretrained(
        filled, dtype=torch.float32, output_loading_info=True
    )
    if report["missing_keys"] or report["unexpected_keys"]:
        message = f"{model_type}: {report}"
        raise ValueError(message)
    model.eval()
    return {"config": written, "tensors": shapes, "logits": [score(model, t) for t in list_texts()]}


def score(model: Any, ids: list[int]) -> list[list[float]]:
    """Return the logits of a text's masks."""
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    masks = [position for position, token in enumerate(ids) if token == MASK]
    return [[round(value, 5) for value in logits[position].tolist()] for position in masks]


if __name__ == "__main__":
    main()

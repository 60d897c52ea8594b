"""Reading the golden files."""

import json
from pathlib import Path
from typing import Any

TARGETS = ["the", "a", "of", "[UNK]", "##s", "in"]
"""The targets that the pipeline was asked for."""


def read_golden(name: str) -> list[dict[str, Any]]:
    """Return the lines of `fill_mask_<name>.jsonl`."""
    path = Path(__file__).with_name(f"fill_mask_{name}.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

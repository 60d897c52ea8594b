"""Ask Transformers for its answers to every case of the families' matrix, and keep them.

Run by `make golden`. The tests read `family_checkpoints.json` and need no PyTorch. It holds answers
and cases as `checkpoints.json` does, and the usual configurations with the shapes of their weights.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoModelForMaskedLM,
    AutoTokenizer,
    logging,
)

sys.path.insert(0, str(Path(__file__).parent.parent))

from golden.make_answer_golden import describe
from golden.make_checkpoint_golden import fill, require_all, write_answers
from matrix.families.cases import list_cases, list_texts
from matrix.families.usual import FAMILIES, write_case
from matrix.row import Case

TARGET = Path(__file__).with_name("family_checkpoints.json")


def main() -> None:
    """Write the answers of all cases."""
    logging.set_verbosity(logging.CRITICAL)
    usual = {family: describe(each.model) for family, each in FAMILIES.items()}

    def write(case: Case, directory: Path) -> None:
        write_case(case, directory, usual[case.part])

    write_answers(TARGET, list_cases(), write, ask, usual=usual)


def ask(directory: Path, case: Case) -> list[Any]:
    """Return the answers of a checkpoint: as `pipeline` loads it, or by its family's own class."""
    config = json.loads((directory / "config.json").read_text("utf-8"))
    kind: Any = AutoModelForMaskedLM
    if "model_type" not in config:
        family = AutoConfig.for_model(case.part)
        kind = MODEL_FOR_MASKED_LM_MAPPING[type(family)]
    model, report = kind.from_pretrained(directory, dtype=torch.float32, output_loading_info=True)
    require_all(report)
    return fill(model.eval(), AutoTokenizer.from_pretrained(directory), list_texts(case))


if __name__ == "__main__":
    main()

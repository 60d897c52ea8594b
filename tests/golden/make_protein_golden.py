"""Score all single substitutions of a protein with Transformers, and keep the scores.

Run by `make golden`. The tests read `proteins.json` and need no PyTorch. A case holds the config
that Transformers writes, the shapes of its tensors, and for every residue the masked marginals
(Meier et al., 2021): log p(mutant) - log p(wild type) where that residue alone is masked.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoTokenizer, EsmConfig, EsmForMaskedLM, logging

sys.path.insert(0, str(Path(__file__).parent.parent))

from protein_cases import ACIDS, CASES, GOLDEN, PROTEIN, write_protein_dir


def main() -> None:
    """Write the scores of all cases."""
    logging.set_verbosity(logging.CRITICAL)
    lines = []
    for name, fields in CASES.items():
        with tempfile.TemporaryDirectory() as directory:
            answer = ask(fields, Path(directory))
        lines.append(f"{json.dumps(name)}: {json.dumps(answer, separators=(',', ':'))}")
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def ask(fields: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Return a case: its model is written, read again and asked."""
    EsmForMaskedLM(EsmConfig(**fields)).save_pretrained(directory / "written")
    config = json.loads((directory / "written" / "config.json").read_text("utf-8"))
    with safe_open(directory / "written" / "model.safetensors", "np") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in sorted(file.keys())}
    case = {"config": config, "tensors": shapes}
    filled = write_protein_dir(directory / "filled", case)
    model, report = EsmForMaskedLM.from_pretrained(
        filled, dtype=torch.float32, output_loading_info=True
    )
    if report["missing_keys"] or report["unexpected_keys"]:
        message = f"{fields}: {report}"
        raise ValueError(message)
    return {**case, "scores": scan(model.eval(), AutoTokenizer.from_pretrained(filled))}


def scan(model: Any, tokenizer: Any) -> list[list[float]]:
    """Return the score of each amino acid at each residue; that of the wild type is 0."""
    wanted = tokenizer.convert_tokens_to_ids(list(ACIDS))
    scores = []
    for index, wild in enumerate(PROTEIN):
        text = f"{PROTEIN[:index]}{tokenizer.mask_token}{PROTEIN[index + 1 :]}"
        with torch.no_grad():
            logits = model(**tokenizer(text, return_tensors="pt")).logits[0]
        log_probs = logits[index + 1].double().log_softmax(-1)[wanted]
        scores.append([round(v, 6) for v in (log_probs - log_probs[ACIDS.index(wild)]).tolist()])
    return scores


if __name__ == "__main__":
    main()

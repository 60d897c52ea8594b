"""Ask Transformers' pipeline, in float32, to fill texts with small models of every family.

Run by `make golden`. The tests read `answers.json` and need no PyTorch. For each text it holds, for
each mask, five `[token, log-probability]`, and a digest of what is too long to be kept: ids, the
spans of the masks, and what the pipeline writes of each prediction. No two predictions that follow
each other are so near that rounding could swap them: where weights give such, others are drawn.
"""

import json
import sys
import tempfile
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoTokenizer,
    FillMaskPipeline,
    logging,
)

sys.path.insert(0, str(Path(__file__).parent.parent))

from golden.answer_cases import CASES, GOLDEN, PREDICTIONS, AnswerCase, digest
from golden.tokenizer_cases import CASES as TOKENIZERS

NEAR = 2e-5


def main() -> None:
    """Write the answers of all cases."""
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    lines = []
    for case in CASES:
        golden = describe(case)
        golden["salt"], golden["texts"] = next(
            filter(None, (ask(case, golden, n) for n in count()))
        )
        content = json.dumps(golden, separators=(",", ":"))
        lines.append(f"{json.dumps(case.model)}: {content}")
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def describe(case: AnswerCase) -> dict[str, Any]:
    """Return what Transformers writes for a case's configuration: `config`, and the `tensors`."""
    tokenizer_case = next(c for c in TOKENIZERS if c.name == case.tokenizer)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        tokenizer = AutoTokenizer.from_pretrained(tokenizer_case.write(directory / "tokenizer"))
        config = AutoConfig.for_model(case.model_type, **case.list_fields(len(tokenizer)))
        AutoModelForMaskedLM.from_config(config).save_pretrained(directory / "written")
        written = json.loads((directory / "written" / "config.json").read_text("utf-8"))
        with safe_open(directory / "written" / "model.safetensors", "np") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in sorted(file.keys())}
    return {"config": written, "tensors": shapes}


def ask(case: AnswerCase, golden: dict[str, Any], number: int) -> tuple[str, list[Any]] | None:
    """Return a salt and the answers to all texts, or None where rounding could change them."""
    salt = str(number or "")
    with tempfile.TemporaryDirectory() as directory:
        case.write(Path(directory), {**golden, "salt": salt})
        model, report = AutoModelForMaskedLM.from_pretrained(
            directory, dtype=torch.float32, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(directory)
    if report["missing_keys"] or report["unexpected_keys"]:
        message = f"{case.model}: {report}"
        raise ValueError(message)
    pipeline = FillMaskPipeline(model.eval(), tokenizer)
    answers: list[Any] = []
    for text in case.list_texts(name_special(tokenizer)):
        answers.append(fill(pipeline, text))
        if answers[-1] is None:
            return None
    return salt, answers


def name_special(tokenizer: Any) -> dict[str, str]:
    """Return how special tokens are spelled, by the names that the texts have for them."""
    return {
        "mask": tokenizer.mask_token,
        "pad": tokenizer.pad_token,
        "unk": tokenizer.unk_token,
        "cls": tokenizer.cls_token,
        "sep": tokenizer.sep_token or tokenizer.eos_token,
    }


def fill(pipeline: Any, text: str) -> list[Any] | None:
    """Return the answer to a text, or None where rounding could change it."""
    tokenizer = pipeline.tokenizer
    answer = pipeline(text, top_k=PREDICTIONS + 1)
    masks = [answer] if isinstance(answer[0], dict) else answer
    found = [
        [[p["token"], torch.tensor(p["score"]).double().log().item()] for p in m] for m in masks
    ]
    for predictions in found:
        scores = [score for _, score in predictions]
        if any(high - low < NEAR for high, low in pairwise(scores)):
            return None
    encoded = tokenizer(text, return_offsets_mapping=tokenizer.is_fast)
    ids = encoded["input_ids"]
    places = [place for place, token in enumerate(ids) if token == tokenizer.mask_token_id]
    spans = encoded["offset_mapping"] if tokenizer.is_fast else None
    reading = [ids, trim(text, [spans[place] for place in places]) if spans else None]
    written = [[[p["token_str"], p["sequence"]] for p in m[:PREDICTIONS]] for m in masks]
    kept = [[[token, round(score, 5)] for token, score in m[:PREDICTIONS]] for m in found]
    return [digest(reading, written), *kept]


def trim(text: str, spans: list[Any]) -> list[list[int]]:
    """Return spans without the white space that a mask may take: filling it leaves that there."""
    trimmed = []
    for start, end in spans:
        part = text[start:end]
        first = start + len(part) - len(part.lstrip())
        trimmed.append([first, first + len(part.strip())])
    return trimmed


if __name__ == "__main__":
    main()

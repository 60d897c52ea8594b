"""Ask Transformers for its answers to every case of the matrix of checkpoints, and keep them.

Run by `make golden`. The tests read `checkpoints.json` and need no PyTorch. It holds the answers by
a short hash, for most cases have the same ones, and for each case the hash, or why Transformers has
no answer: it refuses the files, or gives random values to weights that it does not find.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertTokenizer,
    logging,
)

sys.path.insert(0, str(Path(__file__).parent.parent))

from matrix.cases import TEXTS, list_cases
from matrix.usual import write_case

TARGET = Path(__file__).with_name("checkpoints.json")
TOP_K = 3


def main() -> None:
    """Write the answers of all cases."""
    logging.set_verbosity(logging.CRITICAL)
    answers: dict[str, Any] = {}
    cases: dict[str, Any] = {}
    for case in list_cases():
        with tempfile.TemporaryDirectory() as directory:
            write_case(case, Path(directory) / "checkpoint")
            try:
                answer = ask(Path(directory) / "checkpoint")
            except Exception as error:  # noqa: BLE001  # whatever it raises is its answer
                cases[case.name] = {"none": f"{type(error).__name__}: {error}"[:160]}
                continue
        text = json.dumps(answer)
        key = hashlib.sha256(text.encode()).hexdigest()[:8]
        answers[key] = answer
        cases[case.name] = {"answers": key}
    lines = [
        *(f" {json.dumps(key)}: {dump(value)}" for key, value in answers.items()),
    ]
    named = [f" {json.dumps(name)}: {dump(value)}" for name, value in cases.items()]
    TARGET.write_text(
        '{"answers": {\n' + ",\n".join(lines) + '\n},\n"cases": {\n' + ",\n".join(named) + "\n}}\n",
        "utf-8",
    )


def dump(value: Any) -> str:
    """Return JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def ask(directory: Path) -> list[Any]:
    """Return ids, spans of masks, best tokens and the filled text for every text."""
    model, tokenizer = load(directory)
    if tokenizer.mask_token is None:
        message = "the tokenizer has no mask"
        raise ValueError(message)
    return [answer(model, tokenizer, text.format(mask=tokenizer.mask_token)) for text in TEXTS]


def load(directory: Path) -> tuple[Any, Any]:
    """Load a checkpoint as `pipeline` does; without a `model_type`, by BERT's own classes."""
    config = json.loads((directory / "config.json").read_text("utf-8"))
    if "model_type" in config:
        model, report = AutoModelForMaskedLM.from_pretrained(
            directory, dtype=torch.float32, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(directory)
    else:
        model, report = BertForMaskedLM.from_pretrained(
            directory,
            config=BertConfig.from_pretrained(directory),
            dtype=torch.float32,
            output_loading_info=True,
        )
        tokenizer = BertTokenizer.from_pretrained(directory)
    missing = sorted(report["missing_keys"])
    if missing:
        message = f"random values for {len(missing)} weights, {missing[0]} among them"
        raise ValueError(message)
    return model.eval(), tokenizer


def answer(model: Any, tokenizer: Any, text: str) -> list[Any]:
    """Return `[ids, [[start, end, [[token, score], ...]], ...], filled]`, one entry a mask."""
    encoded = tokenizer(text, return_offsets_mapping=True)
    ids = encoded["input_ids"]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    masks = []
    for position, token in enumerate(ids):
        if token == tokenizer.mask_token_id:
            best = logits[position].double().softmax(-1).topk(TOP_K)
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            scores = [[index, round(score, 7)] for index, score in pairs]
            masks.append([*encoded["offset_mapping"][position], scores])
    if not masks:
        message = "no mask is found in the text"
        raise ValueError(message)
    return [ids, masks, decode(tokenizer, ids, masks)]


def decode(tokenizer: Any, ids: list[int], masks: list[Any]) -> str:
    """Return the text with its first mask filled, as the pipeline decodes it."""
    filled = list(ids)
    filled[ids.index(tokenizer.mask_token_id)] = masks[0][2][0][0]
    kept = [token for token in filled if token != tokenizer.pad_token_id]
    return str(tokenizer.decode(kept, skip_special_tokens=len(masks) == 1))


if __name__ == "__main__":
    main()

"""Ask Transformers for its answers to every case of the matrix of checkpoints, and keep them.

Run by `make golden`. The tests read `checkpoints.json` and need no PyTorch. It holds the answers by
a short hash, for most cases have the same ones, and for each case the hash, or why Transformers has
no answer: it refuses the files, or gives random values to weights that it does not find.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
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
from matrix.row import Case
from matrix.usual import write_case

TARGET = Path(__file__).with_name("checkpoints.json")
TOP_K = 3


def main() -> None:
    """Write the answers of all cases."""
    logging.set_verbosity(logging.CRITICAL)
    write_answers(TARGET, list_cases(), write_case, lambda directory, _: ask(directory))


def write_answers(target: Path, listed: list[Case], write: Any, ask_case: Any, **more: Any) -> None:
    """Write the answers of all cases; the file is the same every time.

    Args:
        target: the file.
        listed: the cases.
        write: writes one into a directory.
        ask_case: returns the answers to one that is written.
        **more: what else is to be in the file.
    """
    answers: dict[str, Any] = {}
    cases: dict[str, Any] = {}
    for case in listed:
        with tempfile.TemporaryDirectory() as directory:
            write(case, Path(directory) / "checkpoint")
            try:
                answer = ask_case(Path(directory) / "checkpoint", case)
            except Exception as error:  # noqa: BLE001  # whatever it raises is its answer
                said = f"{type(error).__name__}: {error}".replace(f"{directory}/", "")
                cases[case.name] = {"none": said[:160]}
                continue
        text = json.dumps(answer)
        key = hashlib.sha256(text.encode()).hexdigest()[:8]
        answers[key] = answer
        cases[case.name] = {"answers": key}
    lines = [
        *(f" {json.dumps(key)}: {dump(value)}" for key, value in answers.items()),
    ]
    named = [f" {json.dumps(name)}: {dump(value)}" for name, value in cases.items()]
    rest = "".join(f",\n{json.dumps(name)}: {dump(value)}" for name, value in more.items())
    target.write_text(
        f'{{"answers": {{\n{_join(lines)}\n}},\n"cases": {{\n{_join(named)}\n}}{rest}}}\n', "utf-8"
    )


def _join(lines: list[str]) -> str:
    return ",\n".join(lines)


def dump(value: Any) -> str:
    """Return JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def ask(directory: Path) -> list[Any]:
    """Return ids, spans of masks, best tokens and the filled text for every text."""
    return fill(*load(directory), TEXTS)


def fill(model: Any, tokenizer: Any, texts: Sequence[str]) -> list[Any]:
    """Return the answers of a model that was loaded."""
    if tokenizer.mask_token is None:
        message = "the tokenizer has no mask"
        raise ValueError(message)
    return [answer(model, tokenizer, text.format(mask=tokenizer.mask_token)) for text in texts]


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
    require_all(report)
    return model.eval(), tokenizer


def require_all(report: dict[str, Any]) -> None:
    """Refuse a model to some of whose weights Transformers gave random values."""
    missing = sorted(report["missing_keys"])
    if missing:
        message = f"random values for {len(missing)} weights, {missing[0]} among them"
        raise ValueError(message)


def answer(model: Any, tokenizer: Any, text: str) -> list[Any]:
    """Return `[ids, [[start, end, [[token, score], ...]], ...], filled]`, one entry a mask."""
    encoded = tokenizer(text, return_offsets_mapping=tokenizer.is_fast)
    ids = encoded["input_ids"]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    masks = []
    for position, token in enumerate(ids):
        if token == tokenizer.mask_token_id:
            best = logits[position].double().softmax(-1).topk(TOP_K)
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            scores = [[index, round(score, 7)] for index, score in pairs]
            span = encoded["offset_mapping"][position] if tokenizer.is_fast else (None, None)
            masks.append([*span, scores])
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

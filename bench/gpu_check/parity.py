"""Answers against Transformers', as the golden files keep them.

    python -m bench.gpu_check.parity ENGINE TEXTS PRECISION:GOLDEN:DIRECTORY...

All of them share a process, for a library takes long to be imported. TEXTS is 0 for all.

float32 must give the same five ids in the same order, and scores within 1e-4. A shorter precision
must keep the first prediction, unless Transformers holds the one that it gives within 0.05 nats.
"""

import json
import math
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.cloze import BATCH_SIZE
from bench.engine_worker import FillmaskEngine, UntunedEngine
from bench.gpu_check.device import GOLDEN
from model_store.text.encoding import Encoding

LARGEST_ERROR = 1e-4
FEWEST_KEPT = 0.97
_TIE_NATS = 0.05

Answer = list[tuple[float, int]]
"""Score and id of each prediction for a mask, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How near answers are to Transformers'.

    Attributes:
        masks: how many were asked.
        same: the share with the same ids in the same order.
        kept: the share with the same first prediction, near ties counted.
        largest_error: of a score, at any id that both list.
    """

    masks: int
    same: float
    kept: float
    largest_error: float

    def holds(self, precision: str) -> bool:
        """Say whether that is what the precision promises."""
        if precision == "float32":
            return self.same == 1 and self.largest_error <= LARGEST_ERROR
        return self.kept >= FEWEST_KEPT


def compare(ours: list[Answer], theirs: list[Answer]) -> Parity:
    """Hold the answers to masks against Transformers'."""
    same = kept = 0
    largest = 0.0
    for mine, golden in zip(ours, theirs, strict=True):
        scores = {token: score for score, token in golden}
        same += [token for _, token in mine] == [token for _, token in golden]
        first, best = scores.get(mine[0][1], 0.0), golden[0][0]
        kept += first > 0 and math.log(best / first) <= _TIE_NATS
        # One that is no number is no better than the worst.
        errors = [abs(score - scores[token]) for score, token in mine if token in scores]
        largest = max(largest, *(1.0 if math.isnan(error) else error for error in errors), 0.0)
    return Parity(len(ours), same / len(ours), kept / len(ours), largest)


def ask(engine: FillmaskEngine, texts: list[str]) -> list[Answer]:
    """Return the answers to the masks of all texts, asked in batches of mixed length."""
    encodings = engine.encode(texts)
    answers: list[Answer] = []
    for start in range(0, len(encodings), BATCH_SIZE):
        answers += _ask_batch(engine, encodings[start : start + BATCH_SIZE])
    return answers


def _ask_batch(engine: FillmaskEngine, batch: list[Encoding]) -> list[Answer]:
    results: Any = engine.predict(batch)
    return [
        [
            (math.exp(value), int(token))
            for value, token in zip(mask.log_probabilities, mask.token_ids, strict=True)
        ]
        for masks in results
        for mask in masks
    ]


def measure(engine: str, job: str, texts: int) -> dict[str, Any]:
    """Return the parity of one job, which is a precision, a golden file and a directory."""
    precision, golden, directory = job.split(":", 2)
    path = GOLDEN / f"fill_mask_{golden}.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines = lines[:texts] if texts else lines
    theirs = [[(p[0], p[1]) for p in mask] for line in lines for mask in line["masks"]]
    model = UntunedEngine(Path(directory), engine, precision)
    parity = compare(ask(model, [line["inputs"] for line in lines]), theirs)
    found = {"engine": engine, "precision": precision, "golden": golden}
    return found | asdict(parity) | {"holds": parity.holds(precision)}


def main() -> None:
    """Print what was found as JSON, a record a job."""
    engine, texts, *jobs = sys.argv[1:]
    print(json.dumps([measure(engine, job, int(texts)) for job in jobs]))


if __name__ == "__main__":
    main()

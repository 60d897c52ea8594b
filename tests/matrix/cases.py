"""Every case of the matrix: each row in each of its layouts."""

from matrix.added_tokens import ADDED
from matrix.configurations import CONFIGURATIONS
from matrix.row import BIN, SAFETENSORS, TOKENIZER, VOCAB, Case, Row
from matrix.stored_tokenizers import STORED
from matrix.tokenizer_classes import CLASSES, OPTIONS
from matrix.weights import LAYOUTS, WEIGHTS

PARTS: dict[str, tuple[list[Row], tuple[str, ...]]] = {
    "configuration": (CONFIGURATIONS, (SAFETENSORS,)),
    "weights": (WEIGHTS, (SAFETENSORS, BIN)),
    "layout": (LAYOUTS, ()),
    "tokenizer": ([*CLASSES, *OPTIONS, *ADDED, *STORED], (VOCAB, TOKENIZER)),
}
"""The rows of each part, and the layouts in which they are tried if they name none."""

TEXTS = (
    "I'd say Paris is the {mask} of France.",
    "[E1] \u00c9va [/E1] went to {mask} in \u5317\u4eac, {mask}!",
    "She [E2]x[/E2] is unable {mask}e  e\u0301 \U0001f600 the caf\u00e9 [unused1]. A{mask}B [mask]",
)


def list_cases() -> list[Case]:
    """Return all cases, in order."""
    return [
        Case(part, row, layout)
        for part, (rows, usual) in PARTS.items()
        for row in rows
        for layout in row.layouts or usual
    ]


def find_twin(case: Case) -> Case | None:
    """Return the case with the same answers, in the same layout, or None."""
    twins = (
        Case(part, row, case.layout)
        for part in (case.part, "weights")
        for row in PARTS[part][0]
        if row.what == case.row.twin
    )
    return next(twins, None)

"""Every case of the families: each row in each of its layouts."""

from matrix.families.configurations import list_configurations
from matrix.families.tokenizers import list_tokenizers
from matrix.families.usual import FAMILIES, Usual
from matrix.families.weights import list_basics, list_weights
from matrix.row import Case, Row

LIKE_ROBERTA = {"camembert", "xlm-roberta"}
"""They differ from RoBERTa in their tokenizers, and in the name of their `model_type`."""

_WORDS = (
    "I'd say Paris is the {mask} of France.",
    "{mask} in \u5317\u4eac,  {mask}! The caf\u00e9 [E1]s e\u0301",
    "un{mask}ing A{mask}B \U0001f600 mask",
)
_PROTEINS = ("MQIFVKT{mask}TGKTITLEV", "{mask}M K {mask}", "MKT LLB{mask}-X.")


def list_texts(case: Case) -> tuple[str, ...]:
    """Return the texts that a case is asked to fill."""
    return _PROTEINS if case.part == "esm" else _WORDS


def list_cases() -> list[Case]:
    """Return all cases, in order."""
    return [
        Case(family, row, layout)
        for family, usual in FAMILIES.items()
        for rows in list_rows(usual).values()
        for row in rows
        for layout in row.layouts
    ]


def list_rows(usual: Usual) -> dict[str, list[Row]]:
    """Return the rows of a family by what they differ in."""
    if usual.family in LIKE_ROBERTA:
        return {"weights": list_basics(usual), "tokenizer": list_tokenizers(usual)}
    return {
        "configuration": list_configurations(usual),
        "weights": list_weights(usual),
        "tokenizer": list_tokenizers(usual),
    }


def find_twin(case: Case) -> Case | None:
    """Return the case with the same answers, or None."""
    twins = (
        Case(case.part, row, row.layouts[0])
        for rows in list_rows(FAMILIES[case.part]).values()
        for row in rows
        if row.what == case.row.twin
    )
    return next(twins, None)

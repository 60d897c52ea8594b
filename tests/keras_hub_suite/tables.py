"""The tables of docs/training.md that are made from what runs; `make keras-tables` writes them."""

import re
from collections.abc import Mapping
from pathlib import Path

from contract.documents import ROOT
from keras_hub_suite.comparison import render_table as render_comparison
from keras_hub_suite.documentation import render_table as render_documentation
from keras_hub_suite.left_out import LEFT_OUT
from keras_hub_suite.model_cases import BACKBONE_CASES, MODEL_CASES
from keras_hub_suite.tokenizer_cases import PREPROCESSOR_CASES, TOKENIZER_CASES

CASES = [*MODEL_CASES, *PREPROCESSOR_CASES, *TOKENIZER_CASES, *BACKBONE_CASES]


def render_tables() -> Mapping[str, str]:
    """Return the tables by their name in the document."""
    return {
        "documentation": render_documentation(),
        "comparison": render_comparison(CASES, LEFT_OUT),
    }


def write_tables(document: Path = ROOT / "docs" / "training.md") -> None:
    """Put the tables between their marks in a document."""
    text = document.read_text("utf-8")
    for name, table in render_tables().items():
        marks = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        pattern = re.escape(marks[0]) + ".*?" + re.escape(marks[1])
        made = f"{marks[0]}\n{table}\n{marks[1]}"
        text = re.sub(pattern, lambda _, made=made: made, text, flags=re.DOTALL)
    document.write_text(text, "utf-8")


if __name__ == "__main__":
    write_tables()

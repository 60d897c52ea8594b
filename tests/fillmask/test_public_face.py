"""`import fillmask` gives what Python users expect, and costs nothing until it is used."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import fillmask
from fillmask import answers
from fillmask.loaded_model import LoadedModel
from fillmask.loading import load
from model_store.errors import InputError, ModelStoreError
from model_store.masked_lm import families
from model_store.masked_lm.families import (
    albert,
    bert,
    distil_bert,
    electra,
    esm,
    modern_bert,
    roberta,
    xlm_roberta,
)
from model_store.tasks.candidate_filter import CandidateFilter
from model_store.tasks.embed_sparse import EmbeddedText
from model_store.tasks.joint.request import JointText
from model_store.tasks.score import ScoredText, ScoredToken
from model_store.text.text_pair import TextPair
from model_store.text.tokenized_text import Token

FAMILIES = {
    albert: "Albert", bert: "Bert", distil_bert: "DistilBert", electra: "Electra", esm: "ESM",
    modern_bert: "ModernBert", roberta: "Roberta", xlm_roberta: "XLMRoberta", families: "",
}  # fmt: skip
"""What the names of a family's classes begin with."""

NAMES = [
    CandidateFilter, EmbeddedText, answers.FilledText, InputError, JointText, LoadedModel,
    answers.Mask, ModelStoreError, answers.Piece, answers.Prediction, ScoredText, ScoredToken,
    answers.TargetPrediction, TextPair, Token, load,
    *(
        getattr(module, f"{name}{kind.replace('MaskedLM', 'MaskedPLM') if name == 'ESM' else kind}")
        for module, name in FAMILIES.items()
        for kind in ("Backbone", "Tokenizer", "MaskedLM", "MaskedLMPreprocessor")
    ),
]  # fmt: skip

SCRIPT = """
import fillmask

model: fillmask.LoadedModel = fillmask.load("name", engine="openvino", precision="float32")
best: float = model.fill_mask(["a [MASK]"], top_k=2)[0].masks[0].predictions[0].score
rank: int | None = model.fill_mask("a [MASK]", targets=["b"])[0].masks[0].predictions[0].rank
totals: list[float] = [text.total for text in model.score("a")]
places: list[int | None] = [token.start for token in model.tokenize("a")[0]]
values: list[float] = model.embed_sparse("a")[0].vector.values.tolist()
"""
WRONG = """
import fillmask

model = fillmask.load("name", engine="onnx")
name: int = model.fill_mask("a [MASK]")[0].masks[0].predictions[0].token_str
model.fill_mask("a [MASK]")[0].masks[0].predictions[0].rank
model.score(template="a {}")
total: str = model.score("a")[0].total
"""


def test_the_names_are_what_they_say() -> None:
    """Each by its own name, and no other name."""
    named = {made.__name__: made for made in NAMES}
    assert dir(fillmask) == fillmask.__all__ == sorted(named)
    assert {name: getattr(fillmask, name) for name in fillmask.__all__} == named
    with pytest.raises(AttributeError, match="has no attribute 'GPT'"):
        fillmask.GPT  # noqa: B018  # the access is what is tested


@pytest.mark.parametrize("package", ["fillmask", "model_store"])
def test_the_package_is_typed(package: str) -> None:
    """Type checkers look for this file."""
    assert files(package).joinpath("py.typed").is_file()


def test_a_type_checker_knows_the_answers(tmp_path: Path) -> None:
    """In somebody else's directory and in strict mode, it finds what is wrong and nothing else."""
    (tmp_path / "right.py").write_text(SCRIPT)
    (tmp_path / "wrong.py").write_text(WRONG)
    command = [sys.executable, "-P", "-m", "mypy", "--strict", "--config-file=", "right.py"]
    checked = subprocess.run(  # noqa: S603  # our own command
        [*command, "wrong.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    faults = [line.split(": ")[0] for line in checked.stdout.splitlines() if ": error: " in line]
    assert faults == [f"wrong.py:{number}" for number in (4, 5, 6, 7, 8)], checked.stdout


def test_importing_it_imports_no_runtime() -> None:
    """Keras comes with the first of its classes, and not with what answers."""
    code = (
        "import sys, fillmask; before = 'numpy' in sys.modules; fillmask.load;"
        "between = 'keras' in sys.modules or 'openvino' in sys.modules;"
        "fillmask.BertTokenizer; print(before, between, 'keras' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert ran.stdout.split() == ["False", "False", "True"]

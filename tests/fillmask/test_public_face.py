"""`import fillmask` gives what Keras users expect, and costs nothing until it is used."""

import subprocess
import sys
from importlib.resources import files

import pytest

import fillmask
from model_store.masked_lm.backbone import BertBackbone
from model_store.masked_lm.masked_lm import BertMaskedLM
from model_store.masked_lm.preprocessor import BertMaskedLMPreprocessor
from model_store.masked_lm.tokenizer import BertTokenizer

CLASSES = [BertBackbone, BertMaskedLM, BertMaskedLMPreprocessor, BertTokenizer]


def test_the_names_are_the_classes() -> None:
    """Each by its own name, and no other name."""
    assert [getattr(fillmask, name) for name in fillmask.__all__] == CLASSES
    assert dir(fillmask) == fillmask.__all__ == [made.__name__ for made in CLASSES]
    with pytest.raises(AttributeError, match="has no attribute 'GPT'"):
        fillmask.GPT  # noqa: B018  # the access is what is tested


def test_the_package_is_typed() -> None:
    """Type checkers look for this file."""
    assert files("fillmask").joinpath("py.typed").is_file()


def test_importing_it_imports_no_runtime() -> None:
    """Keras comes with the first class."""
    code = (
        "import sys, fillmask; before = 'keras' in sys.modules;"
        "fillmask.BertTokenizer; print(before, 'keras' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert ran.stdout.split() == ["False", "True"]

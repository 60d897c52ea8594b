"""Transformers reads what we write of every family: the same logits, and the same tokens."""

import importlib
from pathlib import Path

import keras
import numpy as np
import pytest

from family_models import FAMILY_CASES, FamilyCase

pytestmark = [
    pytest.mark.torch,
    # torch 2.13 asks for a module of Python's that Python has deprecated.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
    pytest.mark.parametrize("case", FAMILY_CASES, ids=str),
]

NEVER_STORED = {"esm": ("contact_head", "inv_freq")}
"""What Transformers makes itself, and a masked LM has no use for or no other way to have."""

CLASSES = {"ESM": "EsmForMaskedLM"}
"""Those of Transformers that are not called as KerasHub's are."""


def test_transformers_computes_what_we_compute(case: FamilyCase, tmp_path: Path) -> None:
    """On what we wrote: every weight found, none left over, logits within 1e-4."""
    torch, transformers = map(importlib.import_module, ("torch", "transformers"))
    model = case.make_model()
    model.export_to_transformers(tmp_path / "saved")
    theirs, report = transformers.AutoModelForMaskedLM.from_pretrained(
        tmp_path / "saved", output_loading_info=True
    )
    made_up = NEVER_STORED.get(case.family, ())
    missing = [key for key in report["missing_keys"] if not any(part in key for part in made_up)]
    assert not missing
    assert not [key for key in report["unexpected_keys"] if ".pooler." not in key]
    assert type(theirs).__name__ == CLASSES.get(case.name, f"{case.name}ForMaskedLM")
    features, _, _ = model.preprocessor(list(case.texts))
    with torch.no_grad():
        logits = theirs.eval()(
            input_ids=torch.from_numpy(features["token_ids"]).long(),
            attention_mask=torch.from_numpy(features["padding_mask"]).long(),
        ).logits.numpy()
    found = np.take_along_axis(logits, features["mask_positions"][..., None], axis=1)
    expected = keras.ops.convert_to_numpy(model(features))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(expected).max() > 0.5


def test_transformers_reads_the_tokens_that_we_read(case: FamilyCase, tmp_path: Path) -> None:
    """Spaces, accents and masks among them."""
    transformers = importlib.import_module("transformers")
    model = case.make_model()
    model.export_to_transformers(tmp_path / "saved")
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "saved")
    subwords = model.preprocessor.tokenizer.subwords
    mask = subwords.special_tokens.mask
    for text in (*case.texts, f"The Café {mask}.", f"  un{mask} {mask}{mask}", "İstanbul 😀 it's"):
        assert theirs(text).input_ids == subwords.encode(text).ids
    assert theirs.mask_token_id == subwords.mask_token_id

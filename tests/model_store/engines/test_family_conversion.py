"""Every family as converted for OpenVINO gives the logits that Transformers gives."""

from pathlib import Path

import numpy as np
import openvino
import pytest

from family_checkpoints import (
    encode_texts,
    list_expected,
    list_readable,
    read_case,
)
from model_store.engines.batches.batch import collate
from model_store.engines.openvino import OpenVINOEngine
from model_store.engines.openvino_conversion.conversion import write_graph
from model_store.masked_lm.masked_lm import BertMaskedLM


@pytest.mark.parametrize("name", list_readable())
def test_converted_model_is_scored_as_transformers_scores_it(name: str, tmp_path: Path) -> None:
    """In float32, all texts in one batch."""
    model = BertMaskedLM.from_checkpoint(read_case(name, tmp_path / name), dtype="float32")
    write_graph(model, tmp_path)
    engine = OpenVINOEngine(tmp_path / "model.xml", "float32")
    logits = engine.run(collate(encode_texts(), engine.shapes), 1).logits
    np.testing.assert_allclose(logits, list_expected(name), atol=1e-4)
    # Normalisations with and without a bias are one operation each, or all but one of them.
    operations = openvino.Core().read_model(tmp_path / "model.xml").get_ops()
    apart = [each for each in operations if each.get_type_name() == "SquaredDifference"]
    assert len(apart) <= 1

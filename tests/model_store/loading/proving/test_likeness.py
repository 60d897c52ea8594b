"""What agreement protects: answers that float32 is sure of, and probabilities."""

import numpy as np
import pytest

from model_store.loading.proving.likeness import compare
from model_store.text.filled_text import MaskScores


def scores(**log_probabilities: float) -> MaskScores:
    """Return candidates, ids by the letters of their names, in the order given."""
    ids = np.array([ord(name) for name in log_probabilities], np.int32)
    return MaskScores(ids, np.array(list(log_probabilities.values()), np.float32))


SURE = scores(a=-0.1, b=-2.5, c=-4.0)
NEARLY = scores(a=-1.0, b=-1.04, c=-4.0)


@pytest.mark.parametrize(
    ("expected", "found", "agreement"),
    [
        (SURE, SURE, 1.0),
        (SURE, scores(b=-0.1, a=-2.5, c=-4.0), 0.0),
        (NEARLY, scores(b=-1.0, a=-1.04, c=-4.0), 1.0),
        (NEARLY, scores(c=-1.0, a=-1.04, b=-1.05), 0.0),
        (NEARLY, scores(d=-1.0, a=-1.04, b=-1.05), 0.0),
    ],
    ids=["same", "other", "near tie", "another than the near ones", "one that was none"],
)
def test_first_prediction_agrees_if_float32_holds_it_as_likely(
    expected: MaskScores, found: MaskScores, agreement: float
) -> None:
    """Between candidates that lie within 0.05 nats, who comes first is chance."""
    assert compare([expected], [found]).agreement == agreement


def test_agreement_is_a_share_of_masks() -> None:
    """One of four."""
    other = scores(b=-0.1, a=-2.5, c=-4.0)
    assert compare([SURE] * 4, [SURE, SURE, other, SURE]).agreement == 0.75


def test_differences_are_of_probabilities() -> None:
    """The most that one moved, wherever it stands now; what is no candidate counts as 0."""
    swapped = scores(b=np.log(0.5), a=np.log(0.3), c=np.log(0.1))
    expected = scores(a=np.log(0.5), b=np.log(0.4), c=np.log(0.1))
    gone = scores(a=np.log(0.5), d=np.log(0.3), c=np.log(0.1))
    found = compare([expected] * 3, [expected, swapped, gone])
    assert found.largest_difference == pytest.approx(0.4)
    assert found.mean_difference == pytest.approx((0.0 + 0.2 + 0.4) / 3)

"""Joint decoding with a real model: never worse than each mask by itself, and mostly better."""

from statistics import fmean

import numpy as np
import pytest

from golden.sentences import SENTENCES
from model_store.engines.fill_mask import FillMaskModel
from model_store.tasks import Done, TaskLimits, advance
from model_store.tasks.joint.request import JointRequest, JointText
from model_store.text.encoding import Encoding

TEXTS = [
    " ".join([*words[:2], *["[MASK]"] * masks, *words[2 + masks :]])
    for index, words in enumerate(sentence.split() for sentence in SENTENCES[:16])
    for masks in [2 + index % 2]
]


@pytest.fixture(scope="module")
def answers(embedded_model: FillMaskModel) -> list[JointText]:
    """Every text, filled together with all others."""
    task = JointRequest(TEXTS, sequences=2, beam_width=4).start(embedded_model, TaskLimits())
    step = advance(task)
    while not isinstance(step, Done):
        step = advance(task, embedded_model.predict(step))
    return step.answer


def test_joint_is_never_less_likely_than_independent(answers: list[JointText]) -> None:
    """And likelier in the mean."""
    gains = [each.sequences[0].log_prob - each.independent.log_prob for each in answers]
    assert min(gains) >= 0
    assert fmean(gains) > 1


def test_conditionals_are_what_the_model_says_step_by_step(
    embedded_model: FillMaskModel, answers: list[JointText]
) -> None:
    """Each entry is filled into the tokens, and the model is asked anew, with all of it alone."""
    for text, answer in zip(TEXTS[:4], answers, strict=False):
        for sequence in (*answer.sequences, answer.independent):
            masks = [mask for span in sequence.spans for mask in span.masks]
            encoding = embedded_model.tokenize(text)
            positions = np.flatnonzero(encoding == embedded_model.mask_token_id)
            steps = sorted(zip(masks, positions, strict=True), key=lambda pair: pair[0].order)
            for mask, position in steps:
                row = Encoding(
                    text,
                    encoding.copy(),
                    np.array([position]),
                    ((0, 0),),
                    np.array([mask.token]),
                    1,
                )
                [[scores]] = embedded_model.predict([row])
                assert np.exp(scores.log_probabilities[0]) == pytest.approx(
                    mask.conditional, rel=1e-3, abs=1e-7
                )
                encoding[position] = mask.token

"""The law of packed rows: a text is answered as if it were alone."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model_store.engines.fill_mask import FillMaskModel
from model_store.text.encoding import Encoding

_VOCABULARY_SIZE = 40
_MOST_TOKENS = 60


@st.composite
def encodings(draw: st.DrawFn) -> Encoding:
    """Draw a text of any ids, with masks anywhere, of which the likeliest or targets are asked."""
    token_ids = np.array(
        draw(st.lists(st.integers(5, _VOCABULARY_SIZE - 1), min_size=3, max_size=_MOST_TOKENS)),
        np.int32,
    )
    masks = draw(st.sets(st.integers(0, len(token_ids) - 1), min_size=1, max_size=4))
    entries = st.integers(0, _VOCABULARY_SIZE - 1)
    targets = draw(st.none() | st.lists(entries, min_size=1, max_size=6, unique=True))
    return Encoding(
        text="",
        token_ids=token_ids,
        mask_positions=np.array(sorted(masks)),
        mask_spans=(),
        target_ids=None if targets is None else np.array(targets, np.int32),
        top_k=draw(st.integers(1, 5)),
        segment_ids=draw(st.none() | arrays(np.int32, len(token_ids), elements=st.integers(0, 1))),
    )


def list_probabilities(model: FillMaskModel, texts: list[Encoding]) -> list[list[float]]:
    """Return what each text is answered, in a batch of them all: probabilities, mask by mask."""
    answers = model.predict(texts)
    return [[float(p) for mask in text for p in np.exp(mask.log_probabilities)] for text in answers]


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(encodings(), min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_text_in_company_is_answered_as_alone(
    tiny_model: FillMaskModel, texts: list[Encoding], random: object
) -> None:
    """Whatever shares its row, in whatever order, within 1e-5."""
    alone = [list_probabilities(tiny_model, [text])[0] for text in texts]
    order = list(range(len(texts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    together = list_probabilities(tiny_model, [texts[index] for index in order])
    for index, found in zip(order, together, strict=True):
        assert found == pytest.approx(alone[index], abs=1e-5)

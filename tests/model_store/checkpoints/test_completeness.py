"""What is checked before a model is built."""

import pytest

from model_store.encoder.config import EncoderConfig
from model_store.encoder.variable_shapes import list_backbone_shapes, list_head_shapes
from model_store.masked_lm.families.bert import BertMaskedLM


@pytest.mark.parametrize("tied", [True, False])
def test_the_listed_variables_are_those_of_the_model(tied: bool) -> None:
    """Every weight of the Keras model is listed with its shape, and nothing else."""
    config = EncoderConfig(
        vocabulary_size=11,
        num_layers=2,
        num_heads=2,
        hidden_dim=4,
        intermediate_dim=6,
        max_sequence_length=8,
        num_segments=3,
        tie_word_embeddings=tied,
    )
    listed = [*list_backbone_shapes(config), *list_head_shapes(config)]
    built = {w.path: tuple(w.shape) for w in BertMaskedLM.from_encoder_config(config).weights}
    assert dict(listed) == built
    assert len(listed) == len(built)

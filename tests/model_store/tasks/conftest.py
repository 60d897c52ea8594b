"""What the tests of tasks share."""

import pytest

from fakes import MAX_SEQUENCE_LENGTH, make_tokenizer
from model_store.text.text_codec import TextCodec


@pytest.fixture
def codec() -> TextCodec:
    """Return a codec with a small vocabulary."""
    return TextCodec(make_tokenizer(), MAX_SEQUENCE_LENGTH)

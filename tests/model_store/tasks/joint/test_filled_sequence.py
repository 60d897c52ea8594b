"""Fillings, written into the caller's text."""

import pytest

from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.tasks.joint.beam import Beam, Path, Step
from model_store.tasks.joint.filled_sequence import write_sequence
from model_store.text.encoding import TextLimits
from model_store.text.text_codec import TextCodec

VOCABULARY = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "new", "york", "##s", "cat", ",", ".", "北"),
    *("京", "it"),
)


@pytest.mark.parametrize(
    ("text", "entries", "written"),
    [
        ("I  LIKE [MASK] [MASK]!", ["new", "york"], "I  LIKE new york!"),
        ("[MASK][MASK]", ["new", "york"], "new york"),
        ("the [MASK]\n[MASK] it", ["cat", "##s"], "the cats it"),
        ("the Cat [MASK] [MASK]", ["##s", "york"], "the Cats york"),
        ("[MASK] it [MASK]", ["cat", "##s"], "cat its"),
        ("it [MASK][MASK][MASK]", ["new", ",", "york"], "it new, york"),
        ("it是[MASK][MASK].", ["北", "京"], "it是北京."),
        ("[MASK][MASK][MASK]", ["北", "cat", "京"], "北 cat 京"),
    ],
)
def test_runs_are_written_as_words(text: str, entries: list[str], written: str) -> None:
    """The rest of the text stays as it was; pieces join, and there is a space between words."""
    codec = TextCodec(build_word_piece(VOCABULARY), 32)
    encoding = codec.encode(text, top_k=1, targets=None, limits=TextLimits())
    tokens = [VOCABULARY.index(entry) for entry in entries]
    path = Path(tuple(Step(mask, token, -1.0) for mask, token in enumerate(tokens)))
    beam = Beam((path,), path, {(step.mask, step.token): -2.0 for step in path.steps})
    sequence = write_sequence(encoding, path, beam, codec)
    assert sequence.text == written
    assert [m.token_str for span in sequence.spans for m in span.masks] == entries

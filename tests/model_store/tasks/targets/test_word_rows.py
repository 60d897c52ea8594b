"""The rows that words of several pieces take."""

from dataclasses import replace

import numpy as np

from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.tasks.targets.word_rows import WordRows
from model_store.text.encoding import TextLimits
from model_store.text.text_codec import TextCodec

ENTRIES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##c")
CLS, SEP, MASK, A, B, C = 2, 3, 4, 5, 6, 7


def test_pieces_are_filled_from_left_to_right() -> None:
    """The mask becomes as many, the other one stays."""
    codec = TextCodec(build_word_piece(ENTRIES), 12)
    encoding = codec.encode("[MASK] a [MASK]", top_k=1, targets=None, limits=TextLimits())
    rows = WordRows(encoding, [[], [(B, C)]], 9).encode(codec.mask_token_id)
    assert [row.token_ids.tolist() for row in rows] == [
        [CLS, MASK, A, MASK, MASK, SEP],
        [CLS, MASK, A, B, MASK, SEP],
    ]
    assert [row.mask_positions.tolist() for row in rows] == [[3], [4]]
    assert [row.target_ids.tolist() for row in rows if row.target_ids is not None] == [[B], [C]]


def test_pieces_are_of_the_segment_of_their_mask() -> None:
    """A text beside another one stays the second one."""
    codec = TextCodec(build_word_piece(ENTRIES), 12)
    encoding = codec.encode("a [MASK] b", top_k=1, targets=None, limits=TextLimits())
    pair = replace(encoding, segment_ids=np.array([0, 0, 1, 2, 2], np.int32))
    [row, _] = WordRows(pair, [[(B, C)]], 9).encode(codec.mask_token_id)
    assert row.segment_ids is not None
    assert row.segment_ids.tolist() == [0, 0, 1, 1, 2, 2]

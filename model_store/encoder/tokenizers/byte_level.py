"""Byte-level BPE, as in RoBERTa: every text can be written, the space before a word is its own."""

from collections.abc import Mapping, Sequence
from functools import partial

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

from model_store.encoder.tokenizers.assembly import assemble, require_special
from model_store.encoder.tokenizers.frames import trim_as_roberta
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer


def build_byte_level(
    vocabulary: Mapping[str, int],
    merges: Sequence[tuple[str, str]],
    special_tokens: SpecialTokens,
    *,
    add_prefix_space: bool = False,
    trim_offsets: bool = True,
    added_tokens: Sequence[AddedToken] = (),
) -> SubwordTokenizer:
    """Build a tokenizer from its entries and what they are merged of.

    Args:
        vocabulary: the ids by the entries, whose bytes are written as GPT-2 writes them.
        merges: which two entries become one, the first ones first.
        special_tokens: their spellings.
        add_prefix_space: whether a text's first word is read as one after a space.
        trim_offsets: whether spans leave out the space that a piece has in it.
        added_tokens: what is never cut, see `assemble`.

    Raises:
        ValueError: a special token is missing.
    """
    require_special(special_tokens, vocabulary, added_tokens)
    tokenizer = Tokenizer(
        BPE(
            dict(vocabulary),
            list(merges),
            dropout=None,
            continuing_subword_prefix="",
            end_of_word_suffix="",
            fuse_unk=False,
        )
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    frame = partial(trim_as_roberta, trim_offsets=trim_offsets, add_prefix_space=add_prefix_space)
    return assemble(tokenizer, special_tokens, frame, added_tokens=added_tokens)

"""A vocabulary of letters, as ESM's of amino acids: every one is a token of its own."""

from collections.abc import Sequence

from tokenizers import AddedToken, Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel

from model_store.encoder.tokenizers.assembly import assemble, require_special
from model_store.encoder.tokenizers.frames import frame_as_esm
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer


def build_letters(
    entries: Sequence[str],
    special_tokens: SpecialTokens,
    *,
    added_tokens: Sequence[AddedToken] = (),
    clean_up_spaces: bool = False,
) -> SubwordTokenizer:
    """Build a tokenizer from its entries; what is none of them is unknown, up to a white space.

    Args:
        entries: the id of each is its index.
        special_tokens: their spellings.
        added_tokens: what is never cut, see `assemble`.
        clean_up_spaces: Transformers' `clean_up_tokenization_spaces`.

    Raises:
        ValueError: a special token is missing.
    """
    ids = {entry: index for index, entry in enumerate(entries)}
    require_special(special_tokens, ids, added_tokens)
    tokenizer = Tokenizer(WordLevel(ids, unk_token=str(special_tokens.unk)))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = {*special_tokens.names, *(token.content for token in added_tokens)}
    # Found in a text wherever they stand, as a trie of all entries finds them.
    letters = [AddedToken(entry, normalized=False) for entry in ids if entry not in special]
    return assemble(
        tokenizer,
        special_tokens,
        frame_as_esm,
        added_tokens=[*added_tokens, *letters],
        clean_up_spaces=clean_up_spaces,
    )

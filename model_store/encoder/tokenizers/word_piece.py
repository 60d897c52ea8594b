"""WordPiece with BERT's normalisation."""

from collections.abc import Mapping, Sequence

from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    normalizers,
    pre_tokenizers,
)
from tokenizers.models import WordPiece

from model_store.encoder.tokenizers.assembly import Frame, assemble, require_special
from model_store.encoder.tokenizers.frames import frame_as_bert
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer


def build_word_piece(
    vocabulary: Sequence[str] | Mapping[str, int],
    *,
    lowercase: bool = True,
    strip_accents: bool | None = None,
    split_cjk: bool = True,
    special_tokens: SpecialTokens | None = None,
    added_tokens: Sequence[AddedToken] = (),
    clean_up_spaces: bool = False,
    frame: Frame = frame_as_bert,
) -> SubwordTokenizer:
    """Build a tokenizer from its entries.

    Args:
        vocabulary: the entries, the id of each its index, or by its id; a continuation starts
            with `##`. Of an entry that stands twice the last index counts, as in every BERT.
        lowercase: whether text is lowercased.
        strip_accents: whether accents are dropped; None does what `lowercase` says.
        split_cjk: whether every CJK character is a word.
        special_tokens: their spellings.
        added_tokens: what is never cut beside the special tokens, or one of these with options
            of its own. What is no entry gets an id behind the vocabulary.
        clean_up_spaces: Transformers' `clean_up_tokenization_spaces`.
        frame: makes what is put around a text.

    Raises:
        ValueError: a special token is missing.
    """
    special = special_tokens or SpecialTokens()
    ids = (
        dict(vocabulary)
        if isinstance(vocabulary, Mapping)
        else {entry: index for index, entry in enumerate(vocabulary)}
    )
    require_special(special, ids, added_tokens)
    tokenizer = Tokenizer(WordPiece(ids, unk_token=str(special.unk)))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=split_cjk,
        strip_accents=strip_accents,
        lowercase=lowercase,
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return assemble(
        tokenizer,
        special,
        frame,
        added_tokens=added_tokens,
        clean_up_spaces=clean_up_spaces,
    )


def is_plain(tokenizer: SubwordTokenizer) -> bool:
    """Say whether `build_word_piece` could build it: its entries and options say all of it.

    A `tokenizer.json` can hold any tokenizer, and then only another one can say the same.
    """
    try:
        plain = build_word_piece(
            tokenizer.vocabulary,
            lowercase=tokenizer.lowercase,
            strip_accents=tokenizer.strip_accents,
            split_cjk=tokenizer.split_cjk,
            special_tokens=tokenizer.special_tokens,
        )
    except ValueError:
        return False
    return tokenizer.list_parts() == plain.list_parts()

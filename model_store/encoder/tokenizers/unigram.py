"""SentencePiece's Unigram, as in XLM-RoBERTa, CamemBERT and ALBERT."""

from collections.abc import Sequence
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import Unigram

from model_store.encoder.tokenizers.assembly import Frame, assemble, require_special
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.spelling import METASPACE
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer


def build_unigram(
    pieces: Sequence[tuple[str, float]],
    special_tokens: SpecialTokens,
    frame: Frame,
    *,
    unk_id: int,
    normalizer: Any = None,
    add_prefix_space: bool = True,
    added_tokens: Sequence[AddedToken] = (),
    clean_up_spaces: bool = False,
) -> SubwordTokenizer:
    """Build a tokenizer from its entries.

    Args:
        pieces: the entries and their log-probabilities, the id of each its index.
        special_tokens: their spellings.
        frame: makes what is put around a text.
        unk_id: the entry for what cannot be written.
        normalizer: what is done to a text first, or None.
        add_prefix_space: whether every word is read as one after a space.
        added_tokens: what is never cut, see `assemble`.
        clean_up_spaces: Transformers' `clean_up_tokenization_spaces`.

    Raises:
        ValueError: a special token is missing.
    """
    require_special(special_tokens, {piece for piece, _ in pieces}, added_tokens)
    tokenizer = Tokenizer(Unigram(list(pieces), unk_id=unk_id, byte_fallback=False))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    scheme = "always" if add_prefix_space else "never"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement=METASPACE, prepend_scheme=scheme),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(replacement=METASPACE, prepend_scheme=scheme)
    return assemble(
        tokenizer,
        special_tokens,
        frame,
        added_tokens=added_tokens,
        clean_up_spaces=clean_up_spaces,
    )


def order_as_fairseq(
    pieces: Sequence[tuple[str, float]], special_tokens: SpecialTokens
) -> list[tuple[str, float]]:
    """Return SentencePiece's entries as XLM-RoBERTa counts them: behind four, before the mask."""
    first = (
        special_tokens.cls,
        special_tokens.pad,
        special_tokens.sep,
        str(special_tokens.unk),
    )
    return [*((name, 0.0) for name in first), *pieces[3:], (special_tokens.mask, 0.0)]


def normalize_by_map(character_map: bytes | None) -> Any:
    """Return what maps characters as SentencePiece was trained with; None where there is no map."""
    return normalizers.Precompiled(character_map) if character_map else None


def normalize_as_albert(character_map: bytes | None, *, lowercase: bool, keep_accents: bool) -> Any:
    """Return what ALBERT does to a text first."""
    steps: list[Any] = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
    if not keep_accents:
        steps += [normalizers.NFKD(), normalizers.StripAccents()]
    if lowercase:
        steps.append(normalizers.Lowercase())
    if character_map:
        steps.append(normalizers.Precompiled(character_map))
    return normalizers.Sequence(steps)

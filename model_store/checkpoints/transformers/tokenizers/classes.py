"""The classes of Transformers that make a tokenizer by rules of their own, and what these are.

Each takes a vocabulary, and a few options of `tokenizer_config.json`; what else `tokenizer.json`
says is not heard. The names are those of Transformers 5, and those of 4 that it still reads.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from model_store.checkpoints.transformers.tokenizers.options import TokenizerOptions
from model_store.checkpoints.transformers.tokenizers.vocabularies import Stored
from model_store.encoder.tokenizers.byte_level import build_byte_level
from model_store.encoder.tokenizers.frames import (
    frame_as_bert,
    frame_as_roberta,
    trim_as_roberta,
)
from model_store.encoder.tokenizers.letters import build_letters
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.unigram import (
    build_unigram,
    normalize_as_albert,
    normalize_by_map,
    order_as_fairseq,
)
from model_store.encoder.tokenizers.word_piece import build_word_piece

_Build = Callable[[Stored, TokenizerOptions, SpecialTokens], SubwordTokenizer]


@dataclass(frozen=True, slots=True)
class TokenizerClass:
    """A class.

    Attributes:
        names: how it is called.
        defaults: how its special tokens are spelled where no file says so.
        build: makes the tokenizer.
        roles: which of these begin a text and end it.
        strips_mask: whether its mask takes the space before it, where no file says otherwise.
        extra: tokens that are special beside those.
    """

    names: tuple[str, ...]
    defaults: Mapping[str, str]
    build: _Build
    roles: tuple[str, str] = ("cls_token", "sep_token")
    strips_mask: bool = False
    extra: tuple[str, ...] = ()


def _build_bert(
    stored: Stored, options: TokenizerOptions, special: SpecialTokens, frame: Any = frame_as_bert
) -> SubwordTokenizer:
    fields = options.fields
    return build_word_piece(
        stored.read_entries(),
        lowercase=fields.get("do_lower_case", True),
        strip_accents=fields.get("strip_accents"),
        split_cjk=fields.get("tokenize_chinese_chars", True),
        special_tokens=special,
        added_tokens=options.added,
        clean_up_spaces=_cleans_up(options),
        frame=frame,
    )


def _build_roberta(
    stored: Stored, options: TokenizerOptions, special: SpecialTokens
) -> SubwordTokenizer:
    vocabulary, merges = stored.read_merges()
    return build_byte_level(
        vocabulary,
        merges,
        special,
        add_prefix_space=bool(options.fields.get("add_prefix_space", False)),
        trim_offsets=bool(options.fields.get("trim_offsets", True)),
        added_tokens=options.added,
    )


def _build_xlm_roberta(
    stored: Stored, options: TokenizerOptions, special: SpecialTokens
) -> SubwordTokenizer:
    model = stored.read_pieces("sentencepiece.bpe.model")
    return build_unigram(
        order_as_fairseq(model.pieces, special) if stored.content is None else model.pieces,
        special,
        frame_as_roberta,
        unk_id=3,
        normalizer=normalize_by_map(model.character_map),
        add_prefix_space=bool(options.fields.get("add_prefix_space", True)),
        added_tokens=options.with_added(model.added),
        clean_up_spaces=_cleans_up(options),
    )


def _build_camembert(
    stored: Stored, options: TokenizerOptions, special: SpecialTokens
) -> SubwordTokenizer:
    model = stored.read_pieces("sentencepiece.bpe.model")
    pieces = model.pieces
    if stored.content is None:
        first = (
            ("<s>NOTUSED", 0.0),
            (special.pad, 0.0),
            ("</s>NOTUSED", 0.0),
            (str(special.unk), 0.0),
            ("<unk>NOTUSED", -100.0),
        )
        pieces = (*first, *pieces[1:], (special.mask, 0.0))
    unknown = [index for index, (piece, _) in enumerate(pieces) if piece == special.unk]
    return build_unigram(
        pieces,
        special,
        frame_as_roberta,
        unk_id=unknown[0] if unknown else 0,
        normalizer=normalize_by_map(model.character_map),
        add_prefix_space=bool(options.fields.get("add_prefix_space", True)),
        added_tokens=options.with_added(model.added),
        clean_up_spaces=_cleans_up(options),
    )


def _build_albert(
    stored: Stored, options: TokenizerOptions, special: SpecialTokens
) -> SubwordTokenizer:
    fields = options.fields
    model = stored.read_pieces("spiece.model")
    around = stored.read_frame()
    return build_unigram(
        model.pieces,
        special,
        frame_as_bert if around is None else lambda *_: around,
        unk_id=1,
        normalizer=normalize_as_albert(
            model.character_map,
            lowercase=bool(fields.get("do_lower_case", True)),
            keep_accents=bool(fields.get("keep_accents", False)),
        ),
        add_prefix_space=bool(fields.get("add_prefix_space", True)),
        added_tokens=options.with_added(model.added),
        clean_up_spaces=_cleans_up(options),
    )


def _build_esm(
    stored: Stored, options: TokenizerOptions, special: SpecialTokens
) -> SubwordTokenizer:
    return build_letters(
        stored.read_letters(),
        special,
        added_tokens=options.added,
        clean_up_spaces=_cleans_up(options),
    )


def _cleans_up(options: TokenizerOptions) -> bool:
    return bool(options.fields.get("clean_up_tokenization_spaces"))


_BERT = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
_ROBERTA = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": "<mask>",
}
_ALBERT = {
    **_ROBERTA,
    "bos_token": "[CLS]",
    "eos_token": "[SEP]",
    "sep_token": "[SEP]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
_ESM = {
    "unk_token": "<unk>",
    "cls_token": "<cls>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
    "eos_token": "<eos>",
}
_BOS_EOS = ("bos_token", "eos_token")
_BERTS = ("Bert", "DistilBert", "Electra", "LayoutLM", "Lxmert", "MobileBert", "SqueezeBert")


def _name_both(*families: str) -> tuple[str, ...]:
    return tuple(f"{name}Tokenizer{end}" for name in families for end in ("", "Fast"))


BERT = TokenizerClass(_name_both(*_BERTS), _BERT, _build_bert)
ROBERTA = TokenizerClass(_name_both("Roberta"), _ROBERTA, _build_roberta)
XLM_ROBERTA = TokenizerClass(_name_both("XLMRoberta"), _ROBERTA, _build_xlm_roberta, _BOS_EOS)
CAMEMBERT = TokenizerClass(
    _name_both("Camembert"),
    _ROBERTA,
    _build_camembert,
    _BOS_EOS,
    strips_mask=True,
    extra=("<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"),
)
ALBERT = TokenizerClass(_name_both("Albert"), _ALBERT, _build_albert)
MPNET = TokenizerClass(
    _name_both("MPNet"),
    {**_ROBERTA, "unk_token": "[UNK]"},
    partial(_build_bert, frame=trim_as_roberta),
    strips_mask=True,
)
ESM = TokenizerClass(("EsmTokenizer",), _ESM, _build_esm, ("cls_token", "eos_token"))

CLASSES: Mapping[str, TokenizerClass] = MappingProxyType(
    {
        name: listed
        for listed in (BERT, ROBERTA, XLM_ROBERTA, CAMEMBERT, ALBERT, MPNET, ESM)
        for name in listed.names
    }
)

USUAL: Mapping[str, str] = MappingProxyType(
    {
        "albert": "AlbertTokenizer",
        "camembert": "CamembertTokenizer",
        "esm": "EsmTokenizer",
        "modernbert": "TokenizersBackend",
        "mpnet": "MPNetTokenizer",
        "roberta": "RobertaTokenizer",
        "xlm-roberta": "XLMRobertaTokenizer",
    }
)
"""The class of a family whose files name none, by its `model_type`; BERT's of others."""

"""What a model needs around a text, or two: a way for each family, with its own tokens."""

from typing import Any

from tokenizers import Tokenizer, processors

from model_store.encoder.tokenizers.special_tokens import SpecialTokens


def frame_as_bert(special: SpecialTokens, tokenizer: Tokenizer) -> Any:
    """Return `[CLS] A [SEP]`, and `[CLS] A [SEP] B [SEP]` with two segments."""
    cls, sep = special.cls, special.sep
    return _fill_template(
        tokenizer, [cls, "$A", sep], [cls, "$A", sep, "$B:1", f"{sep}:1"], [cls, sep]
    )


def frame_as_roberta(special: SpecialTokens, tokenizer: Tokenizer) -> Any:
    """Return `<s> A </s>`, and `<s> A </s> </s> B </s>`, all of one segment."""
    cls, sep = special.cls, special.sep
    return _fill_template(tokenizer, [cls, "$A", sep], [cls, "$A", sep, sep, "$B", sep], [cls, sep])


def frame_as_esm(special: SpecialTokens, tokenizer: Tokenizer) -> Any:
    """Return `<cls> A <eos>`, and `<cls> A <eos> B <eos>`, all of one segment."""
    cls, sep = special.cls, special.sep
    return _fill_template(tokenizer, [cls, "$A", sep], [cls, "$A", sep, "$B", sep], [cls, sep])


def trim_as_roberta(
    special: SpecialTokens,
    tokenizer: Tokenizer,
    *,
    trim_offsets: bool = True,
    add_prefix_space: bool = False,
) -> Any:
    """Return the same as `frame_as_roberta`; spans leave out the space that a piece has in it."""
    sep, cls = [
        (name, int(tokenizer.token_to_id(name) or 0)) for name in (special.sep, special.cls)
    ]
    return processors.RobertaProcessing(sep, cls, trim_offsets, add_prefix_space)


def _fill_template(
    tokenizer: Tokenizer, single: list[str], pair: list[str], names: list[str]
) -> Any:
    ids = [(name, tokenizer.token_to_id(name)) for name in dict.fromkeys(names)]
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=ids)

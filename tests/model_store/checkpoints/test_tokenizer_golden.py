"""Tokenizers of every kind read texts, and write answers, as Transformers does."""

import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from golden.tokenizer_cases import CASES, GOLDEN, PAIRS, TokenizerCase
from model_store.checkpoints.transformers import read_tokenizer, write_tokenizer
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.errors import ModelLoadError, UnknownTargetError
from model_store.text.encoding import Encoding, TextLimits
from model_store.text.filled_text import FilledText, MaskScores
from model_store.text.text_codec import TextCodec
from model_store.text.text_pair import TextPair

LIMITS = TextLimits()


@cache
def golden() -> dict[str, Any]:
    """Return what Transformers made of the texts."""
    return dict(json.loads(GOLDEN.read_text("utf-8")))


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> TokenizerCase:
    """A tokenizer as a directory has it."""
    case: TokenizerCase = request.param
    return case


@pytest.fixture
def tokenizer(case: TokenizerCase, tmp_path: Path) -> SubwordTokenizer:
    """The same, read."""
    return read_tokenizer(case.write(tmp_path))


def encode(codec: TextCodec, text: Any) -> Encoding:
    """Encode as Hugging Face's route does."""
    return codec.encode(text, top_k=1, targets=None, limits=LIMITS, own_mask=True)


def make_scores(encoding: Encoding, masks: list[Any]) -> list[MaskScores]:
    """Return scores that name the tokens of golden answers."""
    tokens = [np.array([token for token, *_ in mask], np.int32) for mask in masks]
    assert len(tokens) == len(encoding.mask_positions)
    return [MaskScores(ids, np.zeros(len(ids), np.float32)) for ids in tokens]


def test_texts_are_read_and_answers_written_as_by_transformers(
    case: TokenizerCase, tokenizer: SubwordTokenizer
) -> None:
    """Ids, offsets, and what the pipeline shows of each prediction."""
    codec = TextCodec(tokenizer, 512)
    for line in golden()[case.name]["texts"]:
        encoding = encode(codec, line["text"])
        assert encoding.token_ids.tolist() == line["ids"], line["text"]
        offsets = [list(span) for span in tokenizer.encode(line["text"]).offsets]
        assert line["offsets"] in (None, offsets), line["text"]
        filled = FilledText(encoding, make_scores(encoding, line["masks"]), tokenizer)
        written = [
            [[p.token, filled.decoded_token(p), filled.decoded_sequence(mask, p)] for p in found]
            for mask, found in enumerate(filled.predictions)
        ]
        assert written == line["masks"], line["text"]
        shown = [[p.token_str for p in found] for found in filled.predictions]
        assert shown == [[text for _, text, _ in mask] for mask in line["masks"]]


def test_pairs_are_read_as_by_transformers(
    case: TokenizerCase, tokenizer: SubwordTokenizer
) -> None:
    """With what each family puts between two texts."""
    codec = TextCodec(tokenizer, 512)
    pairs = [[text.format(mask=codec.mask_token) for text in pair] for pair in PAIRS]
    found = [encode(codec, TextPair(*pair)).token_ids.tolist() for pair in pairs]
    assert found == golden()[case.name]["pairs"]


def test_targets_are_looked_up_as_by_transformers(
    case: TokenizerCase, tokenizer: SubwordTokenizer
) -> None:
    """As they are spelled, else as the tokenizer reads them; what is no single entry is refused."""
    codec = TextCodec(tokenizer, 512)
    text = f"a {codec.mask_token}"
    for target, ids in golden()[case.name]["targets"].items():
        if len(ids) == 1 and ids[0] != tokenizer.unk_token_id:
            found = codec.encode(text, top_k=1, targets=[target], limits=LIMITS)
            assert found.target_ids is not None
            assert found.target_ids.tolist() == ids, target
        else:
            with pytest.raises(UnknownTargetError):
                codec.encode(text, top_k=1, targets=[target], limits=LIMITS)


def test_another_process_reads_alike(case: TokenizerCase, tokenizer: SubwordTokenizer) -> None:
    """HTTP workers get the codec as bytes."""
    codec = TextCodec(tokenizer, 512)
    copy = TextCodec.from_bytes(codec.to_bytes())
    assert copy.spelling == codec.spelling
    assert codec.to_bytes() == codec.to_bytes()
    for line in golden()[case.name]["texts"]:
        text = line["text"].replace(codec.mask_token, "[MASK]")
        ours, theirs = (
            each.encode(text, top_k=1, targets=None, limits=LIMITS) for each in (codec, copy)
        )
        assert ours.token_ids.tolist() == theirs.token_ids.tolist()
        assert ours.mask_spans == theirs.mask_spans


def test_a_conversion_keeps_the_tokenizer(
    case: TokenizerCase, tokenizer: SubwordTokenizer, tmp_path: Path
) -> None:
    """What is written beside a converted model reads texts alike, and pairs."""
    kept = tmp_path / "kept"
    kept.mkdir()
    config = SimpleNamespace(max_sequence_length=512)
    checkpoint: Any = SimpleNamespace(tokenizer=tokenizer, config=config)
    write_tokenizer(checkpoint, kept)
    again = read_tokenizer(kept)
    assert again.special_tokens == tokenizer.special_tokens
    assert again.spelling == tokenizer.spelling
    texts = [(line["text"],) for line in golden()[case.name]["texts"]]
    for text in [*texts, *PAIRS]:
        ours, theirs = (each.encode(*text) for each in (tokenizer, again))
        assert (ours.ids, ours.type_ids) == (theirs.ids, theirs.type_ids)
        assert ours.offsets == theirs.offsets


@pytest.mark.parametrize(
    ("family", "missing"),
    [
        ("roberta", "vocab.json"),
        ("xlm-roberta", "sentencepiece.bpe.model"),
        ("albert", "spiece.model"),
        ("modernbert", "tokenizer.json"),
        ("esm", "vocab.txt"),
    ],
)
def test_a_missing_vocabulary_is_named(family: str, missing: str, tmp_path: Path) -> None:
    """Whoever reads the sentence knows which file to add."""
    with pytest.raises(ModelLoadError, match=missing):
        read_tokenizer(TokenizerCase("", family, "", {}).write(tmp_path))


@pytest.mark.parametrize("content", [b"", b"\xff\xff", b"\n\x03\n\x01a\x12\x02\x18\x02"])
def test_what_is_no_unigram_is_refused(content: bytes, tmp_path: Path) -> None:
    """An empty file, a broken one, and SentencePiece's own BPE."""
    directory = TokenizerCase("", "albert", "", {}).write(tmp_path)
    (directory / "spiece.model").write_bytes(content)
    with pytest.raises(ModelLoadError, match=r"spiece\.model is no"):
        read_tokenizer(directory)


def test_bertweet_is_refused_by_name(tmp_path: Path) -> None:
    """With what to do instead."""
    options = {"tokenizer_class": "BertweetTokenizer"}
    with pytest.raises(ModelLoadError, match=r"'BertweetTokenizer'.*use another"):
        read_tokenizer(TokenizerCase("", "roberta", "", {}, options).write(tmp_path))


def test_a_vocabulary_of_another_kind_is_refused(tmp_path: Path) -> None:
    """WordPiece entries are no BPE."""
    options = {"tokenizer_class": "RobertaTokenizer"}
    files = {"tokenizer.json": "tokenizer.json"}
    directory = TokenizerCase("", "bert", "albert", files, options).write(tmp_path)
    with pytest.raises(ModelLoadError, match="holds no BPE vocabulary, which RobertaTokenizer"):
        read_tokenizer(directory)

"""The tokenizers of KerasHub's presets read texts as their models were trained."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from keras_families import CASES, TOKENIZERS, Presets
from model_store.checkpoints import read_checkpoint, read_tokenizer, write_tokenizer
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.errors import ModelLoadError

TEXTS = [
    "The capital of France is <mask>.",
    "the  capital\tof [MASK] , and É, ﬁ 北 😀!",
    "un<mask>able it's 12,345.6 ünïcode",
    "MKTAYIAK<mask>RQ L A X<pad>",
    " ",
]
ASSETS = "assets/tokenizer"


def _encode(tokenizer: SubwordTokenizer, text: str) -> Any:
    encoding = tokenizer.encode(text)
    return encoding.ids, encoding.offsets, encoding.tokens


_PUBLISHED = {
    "roberta": (
        "RobertaTokenizer",
        {"vocabulary.json": "vocab.json", "merges.txt": "merges.txt"},
        {"mask_token": {"content": "<mask>", "lstrip": True, "special": True}},
    ),
    "xlm-roberta": (
        "XLMRobertaTokenizer",
        {"vocabulary.spm": "sentencepiece.bpe.model"},
        {"mask_token": {"content": "<mask>", "lstrip": True, "special": True}},
    ),
    "albert": (
        "AlbertTokenizer",
        {"vocabulary.spm": "spiece.model"},
        {"mask_token": {"content": "[MASK]", "lstrip": True, "special": True}},
    ),
    "esm": ("EsmTokenizer", {"vocabulary.txt": "vocab.txt"}, {}),
}
"""The same vocabularies as Transformers' checkpoints have them: class, files, what these say."""


@pytest.mark.parametrize("name", _PUBLISHED)
def test_texts_are_read_as_transformers_reads_them(
    keras_presets: Presets, tmp_path: Path, name: str
) -> None:
    """Where its files say that the mask takes the space before it, as all published ones do."""
    kind, files, said = _PUBLISHED[name]
    for asset, file in files.items():
        shutil.copy(keras_presets[name][0] / ASSETS / asset, tmp_path / file)
    described = json.dumps({"tokenizer_class": kind, **said})
    (tmp_path / "tokenizer_config.json").write_text(described, "utf-8")
    theirs = read_tokenizer(tmp_path)
    ours = read_checkpoint(keras_presets[name][0]).tokenizer
    assert ours.special_token_ids == theirs.special_token_ids
    for text in TEXTS:
        assert _encode(ours, text) == _encode(theirs, text), text
        ids = ours.encode(text, text).ids
        assert ids == theirs.encode(text, text).ids, text
        assert ours.decode(ids, skip_special_tokens=False) == theirs.decode(
            ids, skip_special_tokens=False
        )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("distilbert", "the capital of france"),
        ("roberta", "the capital of france"),
        ("xlm-roberta", "the capital of france 北"),
        ("albert", "the capital of france"),
        ("esm", "L A G V"),
    ],
)
def test_plain_texts_are_read_as_keras_hub_reads_them(
    keras_presets: Presets, name: str, text: str
) -> None:
    """The ids that it was trained with."""
    directory, theirs = keras_presets[name]
    expected = [int(index) for index in theirs.preprocessor.tokenizer(text)]
    assert read_checkpoint(directory).tokenizer.encode_batch([text]) == [expected]
    assert len(expected) > 3


@pytest.mark.parametrize("name", CASES)
def test_a_conversion_reads_texts_alike(keras_presets: Presets, tmp_path: Path, name: str) -> None:
    """What is written beside a graph is read back as the same tokenizer."""
    checkpoint = read_checkpoint(keras_presets[name][0], weights=False)
    write_tokenizer(checkpoint, tmp_path)
    ours, written = checkpoint.tokenizer, read_tokenizer(tmp_path)
    assert written.special_tokens == ours.special_tokens
    assert written.spelling == ours.spelling
    assert [_encode(written, text) for text in TEXTS] == [_encode(ours, text) for text in TEXTS]


def test_a_vocabulary_without_capitals_is_one_of_lowercased_texts(
    keras_presets: Presets,
) -> None:
    """KerasHub's ALBERT finds nothing in its vocabulary for a capital letter."""
    tokenizer = read_checkpoint(keras_presets["albert"][0]).tokenizer
    assert tokenizer.encode("THE CÄPITAL").ids == tokenizer.encode("the capital").ids
    assert tokenizer.unk_token_id not in tokenizer.encode("THE CAPITAL").ids


@pytest.mark.parametrize("keras_copy", ["albert"], indirect=True)
@pytest.mark.parametrize("is_cased", [False, True])
def test_a_vocabulary_with_capitals_keeps_them_and_accents(
    keras_copy: Path, *, is_cased: bool
) -> None:
    """As one that somebody trained an ALBERT with; a single one is no reason."""
    path = keras_copy / ASSETS / "vocabulary.spm"
    content = path.read_bytes().replace("\u2581the".encode(), "\u2581\u00c9a".encode())
    for letter in "abcdefg" if is_cased else "":
        content = content.replace(f"\u2581{letter}".encode(), f"\u2581{letter.upper()}".encode())
    path.write_bytes(content)
    tokenizer = read_checkpoint(keras_copy, weights=False).tokenizer
    tokens = tokenizer.encode("\u00c9a").tokens
    assert (tokens == ["[CLS]", "\u2581\u00c9a", "[SEP]"]) == is_cased
    assert (tokens == tokenizer.encode("ea").tokens) != is_cased


@pytest.mark.parametrize(
    ("keras_copy", "name", "content", "sentence"),
    [
        ("roberta", "vocabulary.json", b"{", "tokenizer cannot be used"),
        ("roberta", "vocabulary.json", b"{}", "special token '<pad>' is missing"),
        ("roberta", "merges.txt", b"x", "tokenizer cannot be used"),
        ("roberta", "merges.txt", None, "merges.txt is missing"),
        ("xlm-roberta", "vocabulary.spm", b"\xff", "no SentencePiece model"),
        ("xlm-roberta", "vocabulary.spm", None, "vocabulary.spm is missing"),
        ("albert", "vocabulary.spm", b"", "no Unigram model"),
        ("esm", "vocabulary.txt", b"<cls>\n<pad>\n<eos>\n<unk>\nthe\n<mask>\n", "'the'"),
        ("esm", "vocabulary.txt", b"<cls>\n<pad>\n<eos>\n<unk>\nL\nL\n<mask>\n", "stands twice"),
    ],
    indirect=["keras_copy"],
)
def test_a_broken_vocabulary_is_refused(
    keras_copy: Path, name: str, content: bytes | None, sentence: str
) -> None:
    """By its file."""
    path = keras_copy / ASSETS / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelLoadError, match=sentence):
        read_checkpoint(keras_copy)


@pytest.mark.parametrize("keras_copy", ["xlm-roberta"], indirect=True)
def test_a_model_of_other_special_tokens_is_no_xlm_roberta(keras_copy: Path) -> None:
    """Its ids would be counted from another entry."""
    shutil.copy(TOKENIZERS / "albert" / "spiece.model", keras_copy / ASSETS / "vocabulary.spm")
    with pytest.raises(ModelLoadError, match="and not as XLM-RoBERTa's"):
        read_checkpoint(keras_copy)

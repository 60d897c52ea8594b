"""The masked LMs of the catalogue before their training: true in structure, small in width."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras

from golden.sentences import SENTENCES
from hub_fixtures import LAYERS
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.loading.proving.head_proof import read_probe_texts
from model_store.masked_lm.families.bert import BertMaskedLM, BertMaskedLMPreprocessor
from tiny_checkpoints import SPECIAL_TOKENS

SEQUENCE_LENGTH = 48


@dataclass(frozen=True, slots=True)
class Structure:
    """What tells a preset from others of as many layers: its heads, and what it can read."""

    num_heads: int
    lowercase: bool
    languages: tuple[str, ...] = ("english",)


_MANY = ("english", "german", "french", "spanish", "russian", "chinese")
STRUCTURES = {
    "bert_tiny_en_uncased": Structure(2, lowercase=True),
    "bert_small_en_uncased": Structure(8, lowercase=True),
    "bert_medium_en_uncased": Structure(8, lowercase=True),
    "bert_base_en_uncased": Structure(12, lowercase=True),
    "bert_base_en": Structure(12, lowercase=False),
    "bert_base_zh": Structure(12, lowercase=True, languages=("chinese",)),
    "bert_base_multi": Structure(12, lowercase=False, languages=_MANY),
    "bert_large_en_uncased": Structure(16, lowercase=True),
    "bert_large_en": Structure(16, lowercase=False),
}


def make_untrained(name: str) -> BertMaskedLM:
    """Return a preset's model with the random weights that a training starts from."""
    structure = STRUCTURES[name]
    vocabulary = _make_vocabulary(name)
    tokenizer = build_word_piece(vocabulary, lowercase=structure.lowercase)
    keras.utils.set_random_seed(0)
    config = EncoderConfig(
        vocabulary_size=len(vocabulary),
        num_layers=LAYERS[name],
        num_heads=structure.num_heads,
        hidden_dim=max(32, 4 * structure.num_heads),
        intermediate_dim=128,
        max_sequence_length=SEQUENCE_LENGTH,
        dropout=0.0,  # so few steps learn nothing by heart
    )
    preprocessor = BertMaskedLMPreprocessor(tokenizer, SEQUENCE_LENGTH)
    return BertMaskedLM.from_encoder_config(config, preprocessor=preprocessor)


def read_texts(name: str) -> list[str]:
    """Return short texts in the languages of a preset."""
    path = Path(__file__).with_name("short_texts.toml")
    by_language: dict[str, list[str]] = tomllib.loads(path.read_text("utf-8"))
    by_language["english"] = [text for text in SENTENCES if text.isascii()]
    return [text for language in STRUCTURES[name].languages for text in by_language[language]]


def _make_vocabulary(name: str) -> list[str]:
    """Return the letters of the languages, and the characters that every Chinese model has."""
    structure = STRUCTURES[name]
    probed = [read_probe_texts()[language] for language in structure.languages]
    written = "".join([*read_texts(name), *probed])
    letters = sorted(set(written.lower() if structure.lowercase else written) - {" "})
    characters = _list_chinese_characters() if "chinese" in structure.languages else ()
    entries = [*SPECIAL_TOKENS, *letters, *(f"##{letter}" for letter in letters), *characters]
    return list(dict.fromkeys(entries))


def _list_chinese_characters() -> Iterator[str]:
    """Yield the 3755 common characters, which are the first level of the standard GB 2312."""
    for row in range(0xB0, 0xD8):
        for cell in range(0xA1, 0xFF):
            yield from bytes([row, cell]).decode("gb2312", errors="ignore")

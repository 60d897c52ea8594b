"""A short training turns a random model, which is refused, into one that is proven."""

from pathlib import Path

import keras
import pytest

from golden.sentences import SENTENCES
from model_store.bert.config import BertConfig
from model_store.bert.masked_lm import BertMaskedLM
from model_store.bert.masked_lm_preprocessor import BertMaskedLMPreprocessor
from model_store.bert.tokenizer import BertTokenizer
from model_store.checkpoints import write_transformers_dir
from model_store.errors import HeadUnprovenError
from model_store.head_proof import read_probe_texts
from model_store.store import ModelStore
from tiny_checkpoints import SPECIAL_TOKENS

TEXTS = [text for text in SENTENCES if text.isascii()]


def test_a_short_fit_proves_a_head(tmp_path: Path) -> None:
    """Refused before, served after; the text that is probed is not the one that is trained on."""
    model = make_random_model([*TEXTS, read_probe_texts()["english"]])
    write_transformers_dir(model.to_checkpoint(), tmp_path / "before")
    with pytest.raises(HeadUnprovenError, match="no better than chance"):
        ModelStore(tmp_path).load("before")
    model.compile(optimizer=keras.optimizers.Adam(2e-3))
    model.fit(TEXTS * 5, batch_size=32, epochs=8, verbose=0)
    write_transformers_dir(model.to_checkpoint(), tmp_path / "after")
    ModelStore(tmp_path).load("after")


def make_random_model(texts: list[str]) -> BertMaskedLM:
    """Return a small model whose vocabulary is the characters of texts."""
    letters = sorted({letter for text in texts for letter in text if not letter.isspace()})
    vocabulary = [*SPECIAL_TOKENS, *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = BertTokenizer.from_vocabulary(vocabulary, lowercase=False)
    keras.utils.set_random_seed(0)
    config = BertConfig(
        vocabulary_size=len(vocabulary),
        num_layers=1,
        num_heads=2,
        hidden_dim=32,
        intermediate_dim=64,
        max_sequence_length=64,
    )
    return BertMaskedLM.from_bert_config(
        config, preprocessor=BertMaskedLMPreprocessor(tokenizer, sequence_length=64)
    )

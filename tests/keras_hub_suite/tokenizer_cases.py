"""What the tokenizer and the preprocessor do beside keras-hub's."""

from typing import Any

import keras
import numpy as np

from keras_hub_suite.comparison import Case, Library

WORDS = ["the", "quick", "brown", "fox", "jump", "##ed", "cafe", "THE", "."]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
TEXTS = ["the quick fox jumped.", "brown fox"]
ALL = {
    "mask_selection_rate": 1.0,
    "mask_token_rate": 1.0,
    "random_token_rate": 0.0,
    "mask_selection_length": 8,
    "sequence_length": 10,
}
ATTRIBUTES = (
    "cls_token_id",
    "sep_token_id",
    "pad_token_id",
    "mask_token_id",
    "start_token_id",
    "end_token_id",
    "cls_token",
    "mask_token",
    "oov_token",
    "lowercase",
    "sequence_length",
    "config_file",
    "special_tokens_in_strings",
    "split_on_cjk",
)
SETTINGS = (
    "truncate",
    "mask_selection_rate",
    "mask_selection_length",
    "mask_token_rate",
    "random_token_rate",
    "sequence_length",
    "config_file",
)


def tokenizer(library: Library, **options: Any) -> Any:
    """Return a tokenizer of a dozen entries."""
    return library.models.BertTokenizer(vocabulary=VOCABULARY, **options)


def preprocessor(library: Library, **options: Any) -> Any:
    """Return a preprocessor that masks every token that may be."""
    return library.models.BertMaskedLMPreprocessor(tokenizer(library), **{**ALL, **options})


def reload_vocabulary(library: Library) -> Any:
    """Return the vocabulary of a tokenizer that was made again from its config."""
    made = tokenizer(library)
    return type(made).from_config(made.get_config()).vocabulary


def save_and_read(library: Library, made: Any) -> Any:
    """Return what a preset brings back of a tokenizer or a preprocessor, beside its model."""
    model = library.models.BertMaskedLM.from_preset(library.preset)
    model.save_to_preset(str(library.directory / "preset"))
    made.save_to_preset(str(library.directory / "preset"))
    return type(made).from_preset(str(library.directory / "preset"))


def call_shorter(library: Library) -> Any:
    """Return what a preprocessor makes after its length was set."""
    made = preprocessor(library)
    made.sequence_length = 6
    return made(TEXTS)


TOKENIZER_CASES = [
    Case("BertTokenizer", "one text", lambda lib: tokenizer(lib)(TEXTS[0])),
    Case("BertTokenizer", "several texts", lambda lib: tokenizer(lib)(TEXTS)),
    Case("BertTokenizer", "an array of texts", lambda lib: tokenizer(lib)(np.array(TEXTS))),
    Case(
        "BertTokenizer",
        "`lowercase=True`",
        lambda lib: tokenizer(lib, lowercase=True)("The QUICK fox"),
    ),
    Case(
        "BertTokenizer",
        "`lowercase=True` on accents",
        lambda lib: tokenizer(lib, lowercase=True)("Café"),
        "a lowercased vocabulary of BERT's holds no accents; give `strip_accents=False` to keep"
        " them",
    ),
    Case(
        "BertTokenizer",
        "`strip_accents=True`",
        lambda lib: tokenizer(lib, strip_accents=True)("café"),
    ),
    Case(
        "BertTokenizer",
        "`sequence_length=6`",
        lambda lib: keras.ops.convert_to_numpy(tokenizer(lib, sequence_length=6)(TEXTS)),
    ),
    Case("BertTokenizer", '`dtype="string"`', lambda lib: tokenizer(lib, dtype="string")(TEXTS)),
    Case("BertTokenizer", "`[MASK]` in a text", lambda lib: tokenizer(lib)("the [MASK]")),
    Case(
        "BertTokenizer",
        "`[MASK]` in a text, `special_tokens_in_strings=True`",
        lambda lib: tokenizer(lib, special_tokens_in_strings=True)("the [MASK]"),
    ),
    Case(
        "BertTokenizer",
        "`split=False`",
        lambda lib: tokenizer(lib, split=False)(["the", "fox"]),
        "BERT's texts are always split",
    ),
    Case(
        "BertTokenizer",
        "a vocabulary without `[MASK]`",
        lambda lib: lib.models.BertTokenizer(VOCABULARY[:4]),
    ),
    Case("BertTokenizer", "`detokenize` of one", lambda lib: tokenizer(lib).detokenize([5, 9, 10])),
    Case(
        "BertTokenizer",
        "`detokenize` of several",
        lambda lib: tokenizer(lib).detokenize([[5, 9, 10], [8]]),
    ),
    Case(
        "BertTokenizer",
        "`get_vocabulary`, `vocabulary_size`",
        lambda lib: [tokenizer(lib).get_vocabulary(), tokenizer(lib).vocabulary_size()],
    ),
    Case("BertTokenizer", "`token_to_id`", lambda lib: tokenizer(lib).token_to_id("fox")),
    Case(
        "BertTokenizer", "`token_to_id` of no entry", lambda lib: tokenizer(lib).token_to_id("dog")
    ),
    Case("BertTokenizer", "`id_to_token`", lambda lib: tokenizer(lib).id_to_token(10)),
    Case("BertTokenizer", "`id_to_token` of no id", lambda lib: tokenizer(lib).id_to_token(99)),
    Case(
        "BertTokenizer",
        "ids and spellings of special tokens, and options",
        lambda lib: [getattr(tokenizer(lib), name) for name in ATTRIBUTES],
    ),
    Case(
        "BertTokenizer",
        "`special_tokens`, `special_token_ids`",
        lambda lib: [
            sorted(tokenizer(lib).special_tokens),
            sorted(tokenizer(lib).special_token_ids),
        ],
    ),
    Case(
        "BertTokenizer",
        "`from_config(get_config())`",
        reload_vocabulary,
        "the vocabulary is part of the config here, so nothing is lost",
    ),
    Case(
        "BertTokenizer",
        "`save_to_preset`, `from_preset`",
        lambda lib: save_and_read(lib, tokenizer(lib)).get_vocabulary(),
    ),
    Case(
        "BertTokenizer", "a Keras layer", lambda lib: isinstance(tokenizer(lib), keras.layers.Layer)
    ),
]

PREPROCESSOR_CASES = [
    Case("BertMaskedLMPreprocessor", "several texts", lambda lib: preprocessor(lib)(TEXTS)),
    Case("BertMaskedLMPreprocessor", "one text", lambda lib: preprocessor(lib)(TEXTS[0])),
    Case(
        "BertMaskedLMPreprocessor",
        "pairs, `x=(first, second)`",
        lambda lib: preprocessor(lib)(x=(TEXTS, TEXTS[::-1])),
    ),
    Case(
        "BertMaskedLMPreprocessor",
        "pairs, `(first, second)`",
        lambda lib: preprocessor(lib)((TEXTS, TEXTS[::-1])),
        "keras-hub 0.32 drops the second segment, against its documentation",
    ),
    Case(
        "BertMaskedLMPreprocessor",
        '`truncate="waterfall"`',
        lambda lib: preprocessor(lib, truncate="waterfall")(x=(TEXTS, TEXTS[::-1])),
    ),
    Case(
        "BertMaskedLMPreprocessor",
        "`mask_selection_rate=0`",
        lambda lib: preprocessor(lib, mask_selection_rate=0.0)(TEXTS),
    ),
    Case(
        "BertMaskedLMPreprocessor",
        "a word that is `[UNK]`",
        lambda lib: preprocessor(lib)("the dog"),
        "`[UNK]` is never selected: a model that learns to answer it is of no use",
    ),
    Case("BertMaskedLMPreprocessor", "`sequence_length` set afterwards", call_shorter),
    Case(
        "BertMaskedLMPreprocessor",
        '`truncate="middle"`',
        lambda lib: preprocessor(lib, truncate="middle")(TEXTS),
    ),
    Case(
        "BertMaskedLMPreprocessor",
        "settings",
        lambda lib: [getattr(preprocessor(lib), name) for name in SETTINGS],
    ),
    Case(
        "BertMaskedLMPreprocessor",
        "labels as numbers",
        lambda lib: preprocessor(lib)(TEXTS, [1, 2]),
        "keras-hub throws them away without a word",
    ),
    Case(
        "BertMaskedLMPreprocessor",
        "`from_preset(..., sequence_length=8)`",
        lambda lib: (
            lib.models.BertMaskedLMPreprocessor.from_preset(
                lib.preset, sequence_length=8
            ).sequence_length
        ),
    ),
    Case(
        "BertMaskedLMPreprocessor",
        "`save_to_preset`, `from_preset`",
        lambda lib: save_and_read(lib, preprocessor(lib)).mask_selection_length,
    ),
]

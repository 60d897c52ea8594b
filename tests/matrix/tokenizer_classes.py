"""Checkpoints that differ in the class of their tokenizer, or in its options."""

from matrix.row import GONE, TOKENIZER, Row
from matrix.tokenizer_rows import CONFIG, FILE_CLASS, NAMED, file_options, options

_BERTS = ("Bert", "DistilBert", "Electra", "LayoutLM", "Lxmert", "MobileBert", "SqueezeBert")
_OTHERS = ("BertJapanese", "Roberta", "Albert", "Funnel", "ConvBert", "Herbert", "MPNet", "NoSuch")

CLASSES = [
    *(
        options(f"{name}Tokenizer{end}", tokenizer_class=f"{name}Tokenizer{end}")
        for name in _BERTS
        for end in ("", "Fast")
    ),
    *(options(f"{name}Tokenizer", tokenizer_class=f"{name}Tokenizer") for name in _OTHERS),
    options("class null", tokenizer_class=None),
    options("no class", tokenizer_class=GONE),
    Row("no tokenizer_config.json", {CONFIG: GONE}),
    *(
        Row(
            f"{name} in config.json",
            {CONFIG: {"tokenizer_class": GONE}, "config.json": {"tokenizer_class": name}},
        )
        for name in (
            *("BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "ElectraTokenizerFast"),
            *("BertJapaneseTokenizer", "RobertaTokenizer", "AlbertTokenizer"),
        )
    ),
    Row(
        f"{FILE_CLASS} in config.json",
        {CONFIG: {"tokenizer_class": GONE}, "config.json": {"tokenizer_class": FILE_CLASS}},
        twin="BertTokenizer",
    ),
    Row(
        f"{FILE_CLASS} in config.json, tokens named",
        {
            CONFIG: {"tokenizer_class": GONE, **NAMED},
            "config.json": {"tokenizer_class": FILE_CLASS},
        },
    ),
    Row(
        "MeCab in config.json, no tokenizer_config.json",
        {CONFIG: GONE, "config.json": {"tokenizer_class": "BertJapaneseTokenizer"}},
    ),
    Row(
        "MeCab in config.json, BERT beside it",
        {"config.json": {"tokenizer_class": "BertJapaneseTokenizer"}},
    ),
    Row(
        "null in config.json",
        {CONFIG: {"tokenizer_class": GONE}, "config.json": {"tokenizer_class": None}},
    ),
    options(FILE_CLASS, tokenizer_class=FILE_CLASS, **NAMED),
    options("TokenizersBackend", tokenizer_class="TokenizersBackend", **NAMED),
    options("PreTrainedTokenizer", tokenizer_class="PreTrainedTokenizer", **NAMED),
    Row(
        "a mask that no file names",
        {CONFIG: {"tokenizer_class": FILE_CLASS}},
        layouts=(TOKENIZER,),
        twin="BertTokenizer",
    ),
    options("a tokenizer with code of its own", auto_map={"AutoTokenizer": ["own.Own", None]}),
]

OPTIONS = [
    options("do_lower_case true", do_lower_case=True),
    options("do_lower_case not said", do_lower_case=GONE),
    options("do_lower_case null", do_lower_case=None),
    options("strip_accents true", strip_accents=True),
    options("strip_accents false", strip_accents=False, do_lower_case=True),
    options("CJK characters kept together", tokenize_chinese_chars=False),
    options("do_basic_tokenize false", do_basic_tokenize=False, never_split=["Paris"]),
    options("clean_up_tokenization_spaces", clean_up_tokenization_spaces=True),
    options("model_max_length 16", model_max_length=16),
    options("padding on the left", padding_side="left", truncation_side="left"),
    options("split_special_tokens", split_special_tokens=True),
    options("another file named", fast_tokenizer_files=["tokenizer.0.1.0.json"]),
    file_options("do_lower_case true", do_lower_case=True),
    file_options("nothing"),
]

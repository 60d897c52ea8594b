"""Public names of keras-hub's classes that ours have not, each with its reason."""

CONFIG = "the vocabulary is part of the config"
TEXTS_ONLY = "texts are all that this one takes"
FINDING = "only the base class of keras-hub needs it, to find a subclass"
WITH_MODEL = "`BertMaskedLM.export_to_transformers` writes all of it"
TASK = "`save_weights` and `load_weights` take the head with the rest"
LEFT_OUT: dict[tuple[str, str], str] = {
    **dict.fromkeys(
        [("BertMaskedLM", f"{verb}_task_weights") for verb in ("has", "load", "save")], TASK
    ),
    **{
        ("BertMaskedLMPreprocessor", f"{kind}_converter{ending}"): TEXTS_ONLY
        for kind in ("audio", "image", "video")
        for ending in ("", "_cls")
    },
    ("BertMaskedLMPreprocessor", "image_size"): TEXTS_ONLY,
    ("BertMaskedLMPreprocessor", "backbone_cls"): FINDING,
    ("BertMaskedLMPreprocessor", "load_preset_assets"): CONFIG,
    ("BertTokenizer", "backbone_cls"): FINDING,
    ("BertTokenizer", "load_assets"): CONFIG,
    ("BertTokenizer", "load_preset_assets"): CONFIG,
    ("BertTokenizer", "save_assets"): CONFIG,
    ("BertTokenizer", "export_to_transformers"): WITH_MODEL,
    ("BertBackbone", "export_to_transformers"): WITH_MODEL,
}

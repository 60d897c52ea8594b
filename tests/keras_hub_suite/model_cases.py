"""What the backbone and the masked LM do beside keras-hub's, with the same weights."""

import warnings
from typing import Any

import keras
import numpy as np

from keras_hub_suite.comparison import Case, Library
from keras_hub_suite.tokenizer_cases import TEXTS

FEATURES = {
    "token_ids": np.array([[2, 5, 4, 8, 3, 0], [2, 7, 4, 3, 0, 0]]),
    "padding_mask": np.array([[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0]]),
    "segment_ids": np.array([[0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]]),
}
MASKED = {**FEATURES, "mask_positions": np.array([[2, 3], [2, 0]])}
LABELS = [[6, 8], [9, 2]]
SIZES = {
    "vocabulary_size": 14,
    "num_layers": 1,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 12,
}
READ = (*SIZES, "dropout", "max_sequence_length", "num_segments", "cls_token_index")
FIT = {"verbose": 0, "batch_size": 2}


def backbone(library: Library, **options: Any) -> Any:
    """Return the encoder of the preset."""
    return library.models.BertBackbone.from_preset(library.preset, **options)


def model(library: Library, **options: Any) -> Any:
    """Return the masked LM of the preset, to be trained by plain steps."""
    made = library.models.BertMaskedLM.from_preset(library.preset, **options)
    made.compile(keras.optimizers.SGD(0.1))
    return made


def default_answers(library: Library) -> Any:
    """Return what an encoder computes that was made with the defaults; the weights are ours."""
    import fillmask  # noqa: PLC0415  # the cases know their library by its names only

    made = fillmask.BertBackbone(**SIZES, dropout=0.0)
    for weight in made.weights:
        weight.assign(np.random.default_rng(weight.shape[-1]).normal(0, 0.5, weight.shape))
    made.save_to_preset(library.directory / "preset")
    if not library.is_ours:
        made = library.models.BertBackbone.from_preset(str(library.directory / "preset"))
    return made(FEATURES)


def adapt(library: Library) -> Any:
    """Return whether a preset of an adapted and trained model answers as it does."""
    made = model(library)
    made.backbone.enable_lora(2)
    made.compile(keras.optimizers.SGD(0.5))
    made.fit(TEXTS, **FIT)
    trained = keras.ops.convert_to_numpy(made(MASKED))
    made.save_to_preset(str(library.directory / "preset"))
    again = library.models.BertMaskedLM.from_preset(str(library.directory / "preset"))
    kept = bool(np.allclose(keras.ops.convert_to_numpy(again(MASKED)), trained, atol=1e-5))
    return [kept, len(made.backbone.trainable_variables)]


def count_adapted(library: Library) -> Any:
    """Return how many numbers learn in an adapted encoder."""
    made = backbone(library)
    made.enable_lora(2)
    return sum(int(np.prod(variable.shape)) for variable in made.trainable_variables)


def quantize(library: Library) -> Any:
    """Return whether a quantized model still answers nearly the same."""
    made = model(library)
    before = keras.ops.convert_to_numpy(made(MASKED))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.quantize("int8")
    after = keras.ops.convert_to_numpy(made(MASKED))
    return bool(np.abs(after - before).max() < 0.15 * np.abs(before).max())


def train(library: Library, method: str, **options: Any) -> Any:
    """Return the loss of a step, and the answers after it; the masks are all that there may be."""
    made = model(library)
    loss = getattr(made, method)(TEXTS, **options)
    loss = loss.history["loss"][0] if method == "fit" else loss
    return [float(np.ravel(loss)[0]), made(MASKED)]


def describe_compiled(library: Library) -> Any:
    """Return what a model is compiled with where nobody says it."""
    made = library.models.BertMaskedLM.from_preset(library.preset)
    return [
        type(made.optimizer),
        float(made.optimizer.learning_rate),
        type(made.loss),
        sorted(made.evaluate(TEXTS, return_dict=True, **FIT)),
    ]


def train_uncompiled(library: Library) -> Any:
    """Return nothing: it raises."""
    library.models.BertMaskedLM.from_preset(library.preset, compile=False).fit(TEXTS, **FIT)


def train_features(library: Library) -> Any:
    """Return the loss of a step on features and labels."""
    made = model(library, preprocessor=None)
    return made.fit(MASKED, np.array(LABELS), **FIT).history["loss"][0]


def reload(library: Library) -> Any:
    """Return what a `.keras` file brings back."""
    made = model(library)
    made.save(library.directory / "model.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = keras.models.load_model(library.directory / "model.keras")
    return [again(MASKED), type(again.optimizer), again.preprocessor.sequence_length]


BACKBONE_CASES = [
    Case("BertBackbone", "outputs", lambda lib: backbone(lib)(FEATURES)),
    Case(
        "BertBackbone",
        "outputs with the constructor's defaults",
        default_answers,
        "GELU is BERT's own, exact; `hidden_act=\"gelu_new\"` is keras-hub's",
    ),
    Case(
        "BertBackbone",
        "arguments as attributes",
        lambda lib: [getattr(lib.models.BertBackbone(**SIZES), name) for name in READ],
    ),
    Case(
        "BertBackbone",
        "heads that do not divide the width",
        lambda lib: lib.models.BertBackbone(**{**SIZES, "num_heads": 3})(FEATURES),
        "refused when it is made; keras-hub computes with fewer numbers",
    ),
    Case(
        "BertBackbone",
        "a misspelt argument",
        lambda lib: lib.models.BertBackbone(**SIZES, droput=0.5).name,
        "refused; keras-hub swallows it",
    ),
    Case("BertBackbone", "`count_params`", lambda lib: backbone(lib).count_params()),
    Case(
        "BertBackbone",
        '`dtype="bfloat16"`',
        lambda lib: str(
            keras.backend.standardize_dtype(
                backbone(lib, dtype="bfloat16")(FEATURES)["pooled_output"].dtype
            )
        ),
    ),
    Case(
        "BertBackbone",
        "`from_preset(preset, False)`",
        lambda lib: lib.models.BertBackbone.from_preset(lib.preset, False).count_params(),  # noqa: FBT003  # Keras has it so,
    ),
    Case(
        "BertBackbone",
        "`from_preset(preset, dropout=0.25, trainable=False)`",
        lambda lib: [
            backbone(lib, dropout=0.25).dropout,
            len(backbone(lib, trainable=False).trainable_variables),
        ],
    ),
    Case(
        "BertBackbone",
        "`from_config(get_config())`",
        lambda lib: (
            lib.models.BertBackbone.from_config(
                backbone(lib, dtype="bfloat16").get_config()
            ).dtype_policy.name
        ),
    ),
    Case(
        "BertBackbone",
        "`token_embedding`, `transformer_layers`, `pooled_dense`, ...",
        lambda lib: [
            type(backbone(lib).token_embedding),
            len(backbone(lib).transformer_layers),
            backbone(lib).pooled_dense.name,
            backbone(lib).embeddings_dropout.name,
            backbone(lib).embeddings_layer_norm.name,
            backbone(lib).position_embedding.name,
            backbone(lib).segment_embedding.name,
        ],
    ),
    Case(
        "BertBackbone",
        "`default_lora_layer_names`",
        lambda lib: backbone(lib).default_lora_layer_names(),
        "a layer has one name here, and two of keras-hub's four name none of its layers",
    ),
    Case(
        "BertBackbone",
        "how many numbers `enable_lora(2)` trains",
        count_adapted,
        "attention's projections are plain matrices here, and a matrix for each head there",
    ),
    Case(
        "BertBackbone",
        "`save_lora_weights` before `enable_lora`",
        lambda lib: backbone(lib).save_lora_weights("a.lora.h5"),
    ),
    Case("BertBackbone", "`presets`", lambda lib: len(lib.models.BertBackbone.presets) > 0),
]

MODEL_CASES = [
    Case("BertMaskedLM", "logits", lambda lib: model(lib)(MASKED)),
    Case(
        "BertMaskedLM",
        'logits with `dtype="bfloat16"`',
        lambda lib: str(
            keras.backend.standardize_dtype(model(lib, dtype="bfloat16")(MASKED).dtype)
        ),
        "always float32: losses and metrics are taken from them",
    ),
    Case("BertMaskedLM", "`compile` with the defaults", describe_compiled),
    Case("BertMaskedLM", "`fit` on texts", lambda lib: train(lib, "fit", **FIT)),
    Case("BertMaskedLM", "`train_on_batch` of texts", lambda lib: train(lib, "train_on_batch")),
    Case("BertMaskedLM", "`test_on_batch` of texts", lambda lib: train(lib, "test_on_batch")),
    Case("BertMaskedLM", "`evaluate` on texts", lambda lib: train(lib, "evaluate", **FIT)),
    Case("BertMaskedLM", "`predict` on texts", lambda lib: model(lib).predict(TEXTS, **FIT)),
    Case(
        "BertMaskedLM",
        "`predict_on_batch` of texts",
        lambda lib: model(lib).predict_on_batch(TEXTS),
    ),
    Case("BertMaskedLM", "a call on texts", lambda lib: model(lib)(TEXTS)),
    Case("BertMaskedLM", "`preprocess_samples`", lambda lib: model(lib).preprocess_samples(TEXTS)),
    Case("BertMaskedLM", "`fit` on features and labels", train_features),
    Case(
        "BertMaskedLM",
        "`validation_data` a list of texts",
        lambda lib: sorted(model(lib).fit(TEXTS, validation_data=TEXTS, **FIT).history),
        "keras-hub takes two texts for features and labels",
    ),
    Case("BertMaskedLM", "`compile=False`, then `fit`", train_uncompiled),
    Case(
        "BertMaskedLM",
        "a misspelt argument",
        lambda lib: lib.models.BertMaskedLM(backbone(lib), preprocesor=None).name,
        "refused; keras-hub swallows it",
    ),
    Case("BertMaskedLM", "a frozen backbone", lambda lib: _frozen(model(lib))),
    Case(
        "BertMaskedLM",
        "`backbone_cls`, `preprocessor_cls`",
        lambda lib: [
            lib.models.BertMaskedLM.backbone_cls,
            lib.models.BertMaskedLM.preprocessor_cls,
        ],
    ),
    Case(
        "BertMaskedLM",
        "a `.keras` file",
        reload,
        "the optimizer comes back; keras-hub compiles with its defaults",
    ),
    Case("BertMaskedLM", "`enable_lora`, `fit`, `save_to_preset`", adapt),
    Case(
        "BertMaskedLM",
        '`quantize("int8")`',
        quantize,
        "keras-hub's raises where the model has a preprocessor",
    ),
]


def _frozen(made: Any) -> Any:
    made.backbone.trainable = False
    return [len(made.trainable_variables), sorted(made.fit(TEXTS, **FIT).history)]

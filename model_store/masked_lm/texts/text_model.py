"""A Keras model that takes texts wherever Keras takes data: it masks them when they are needed."""

from typing import Any, ClassVar

import keras
import numpy as np

from model_store.masked_lm.preprocessor import MaskedLMPreprocessor
from model_store.masked_lm.texts.dataset import (
    as_dataset,
    as_validation_dataset,
    is_tensorflow_dataset,
    split_texts,
)
from model_store.masked_lm.texts.text_inputs import has_texts

_BATCH_SIZE = 32
"""Keras' own default."""


class TextModel(keras.Model):  # type: ignore[misc]  # keras ships no types
    """A model with a preprocessor, or with None, and then it takes what any `keras.Model` takes."""

    preprocessor_cls: ClassVar[type[MaskedLMPreprocessor]] = MaskedLMPreprocessor
    has_segments: ClassVar[bool]
    backbone: Any
    _preprocessor: MaskedLMPreprocessor | None = None

    @property
    def preprocessor(self) -> MaskedLMPreprocessor | None:
        """What makes batches of texts, or None; it may be set."""
        return self._preprocessor

    @preprocessor.setter
    def preprocessor(self, value: MaskedLMPreprocessor | None) -> None:
        self._require_fitting(value)
        # It is none of the model's layers: Keras would list it, and save it twice.
        self.__dict__["_preprocessor"] = value

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; PyTorch would register a layer as a module, past the property."""
        if name == "preprocessor":
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def _require_fitting(self, preprocessor: Any) -> None:
        if preprocessor is None:
            return
        kind, wanted = type(preprocessor).__name__, self.preprocessor_cls.__name__
        if not isinstance(preprocessor, MaskedLMPreprocessor):
            message = (
                f"preprocessor is a {kind}; give a fillmask.{wanted}, or None to feed features."
            )
            raise ValueError(message)  # noqa: TRY004  # one kind of error for every wrong input
        if preprocessor.has_segments is not self.has_segments:
            message = f"preprocessor is a {kind}, of another family; give a fillmask.{wanted}."
            raise ValueError(message)
        longest, rows = self.backbone.max_sequence_length, self.backbone.vocabulary_size
        if preprocessor.sequence_length > longest:
            message = (
                f"The preprocessor makes rows of {preprocessor.sequence_length} tokens and the "
                f"backbone takes {longest}; give a sequence_length of no more."
            )
            raise ValueError(message)
        entries = preprocessor.tokenizer.vocabulary_size()
        if entries > rows:
            message = (
                f"The tokenizer has {entries} entries and the backbone {rows}; "
                "take both from the same checkpoint."
            )
            raise ValueError(message)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the model on features, as any `keras.Model`.

        Raises:
            ValueError: texts are given.
        """
        if has_texts(args[0] if args else kwargs.get("inputs")):
            message = "A call takes features; give model.preprocessor(texts)[0], or use predict."
            raise ValueError(message)
        return super().__call__(*args, **kwargs)

    def preprocess_samples(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Return what is trained on for a batch of data: masked texts, or the data as arrays."""
        if self.preprocessor is not None:
            return self.preprocessor(x, y, sample_weight)
        return keras.utils.pack_x_y_sample_weight(*map(_as_arrays, (x, y, sample_weight)))

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Train, as `keras.Model.fit`; texts where there is a preprocessor.

        `validation_data` is then texts likewise; two segments are `((first, second),)`.

        Raises:
            ValueError: the data is of a kind that this model does not take.
        """
        preprocessor = self.preprocessor
        if preprocessor is None:
            weight = _as_arrays(kwargs.pop("sample_weight", None))
            x, y = _as_arrays(x), _as_arrays(y)
            if is_tensorflow_dataset(x):
                kwargs.setdefault("shuffle", False)  # Keras would warn that it does not
            return super().fit(x, y, batch_size, *args, sample_weight=weight, **kwargs)
        split = kwargs.pop("validation_split", None)
        if split and kwargs.get("validation_data") is None:
            x, held_back = split_texts(x, split)
            kwargs["validation_data"] = (held_back,)
        if kwargs.get("validation_data") is not None:
            rows = kwargs.pop("validation_batch_size", None) or batch_size or _BATCH_SIZE
            kwargs["validation_data"] = as_validation_dataset(
                kwargs["validation_data"],
                preprocessor,
                batch_size=rows,
                steps=kwargs.get("validation_steps"),
            )
        # Texts are shuffled one by one; Keras would shuffle whole batches.
        shuffle = kwargs.pop("shuffle", True)
        steps = kwargs.get("steps_per_epoch")
        dataset = self._feed(x, y, batch_size, kwargs=kwargs, shuffle=shuffle, steps=steps)
        return super().fit(dataset, None, None, *args, shuffle=False, **kwargs)

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """Measure, as `keras.Model.evaluate`; texts where there is a preprocessor.

        Raises:
            ValueError: the data is of a kind that this model does not take.
        """
        # `fit` validates through here, with what it made of its texts.
        if kwargs.get("_use_cached_eval_dataset"):
            return super().evaluate(x, y, batch_size, **kwargs)
        if self.preprocessor is None:
            weight = _as_arrays(kwargs.pop("sample_weight", None))
            x, y = _as_arrays(x), _as_arrays(y)
            return super().evaluate(x, y, batch_size, sample_weight=weight, **kwargs)
        dataset = self._feed(x, y, batch_size, kwargs=kwargs, steps=kwargs.get("steps"))
        return super().evaluate(dataset, **kwargs)

    def predict(self, x: Any, batch_size: int | None = None, **kwargs: Any) -> Any:
        """Return the logits at the masks, as `keras.Model.predict`.

        Texts are masked where there is a preprocessor.

        Raises:
            ValueError: the data is of a kind that this model does not take.
        """
        if self.preprocessor is None:
            return super().predict(_as_arrays(x), batch_size, **kwargs)
        dataset = self._feed(x, None, batch_size, kwargs=kwargs, steps=kwargs.get("steps"))
        return super().predict(dataset, **kwargs)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any
    ) -> Any:
        """Train on one batch, as `keras.Model.train_on_batch`; texts where there is a preprocessor.

        Raises:
            ValueError: the data is of a kind that this model does not take.
        """
        return super().train_on_batch(*self._make_batch(x, y, sample_weight), **kwargs)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Measure one batch, as `keras.Model.test_on_batch`; texts where there is a preprocessor.

        Raises:
            ValueError: the data is of a kind that this model does not take.
        """
        return super().test_on_batch(*self._make_batch(x, y, sample_weight), **kwargs)

    def predict_on_batch(self, x: Any, **kwargs: Any) -> Any:
        """Return the logits at the masks of one batch; texts where there is a preprocessor.

        Raises:
            ValueError: the data is of a kind that this model does not take.
        """
        return super().predict_on_batch(self._make_batch(x)[0], **kwargs)

    def _make_batch(self, x: Any, y: Any = None, sample_weight: Any = None) -> tuple[Any, ...]:
        if self.preprocessor is not None and isinstance(x, dict):
            message = "The data is preprocessed already; set the model's preprocessor to None."
            raise ValueError(message)
        made = self.preprocess_samples(x, y, sample_weight)
        return keras.utils.unpack_x_y_sample_weight(made)  # type: ignore[no-any-return]

    def _feed(
        self,
        x: Any,
        y: Any,
        batch_size: int | None,
        *,
        kwargs: dict[str, Any],
        shuffle: bool = False,
        steps: int | None = None,
    ) -> Any:
        """Return texts as a dataset of masked batches."""
        assert self.preprocessor is not None  # noqa: S101  # nosec B101  # the callers looked
        if y is not None or kwargs.pop("sample_weight", None) is not None:
            message = "Labels and weights are made from the texts; leave y and sample_weight out."
            raise ValueError(message)
        rows = batch_size or _BATCH_SIZE
        return as_dataset(x, self.preprocessor, batch_size=rows, shuffle=shuffle, steps=steps)


def _as_arrays(value: Any) -> Any:
    """Return lists of numbers as arrays: Keras would take a list for several inputs."""
    if isinstance(value, dict):
        return {name: _as_arrays(part) for name, part in value.items()}
    if isinstance(value, list) and not (value and isinstance(value[0], dict | tuple)):
        return np.asarray(value)
    return value

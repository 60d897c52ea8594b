"""Texts in, masked batches out: what a masked LM trains on."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias

import keras
import numpy as np

from model_store.checkpoints import write_keras_preprocessor
from model_store.encoder.preprocessor_config import PreprocessorConfig
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.errors import ModelLoadError
from model_store.masked_lm.preset import (
    DEFAULT_DIRECTORY,
    Catalogued,
    find_files,
    read_preprocessing,
)
from model_store.masked_lm.texts.segment_packer import TRUNCATIONS, pack_segments
from model_store.masked_lm.texts.tensorflow_graph import call_dense
from model_store.masked_lm.texts.text_inputs import (
    has_texts,
    in_tensorflow_graph,
    is_text,
    read_segments,
    read_texts,
)
from model_store.masked_lm.texts.token_masking import TokenMasker
from model_store.masked_lm.tokenizer import Tokenizer

Example: TypeAlias = tuple[dict[str, Any], Any, Any]
"""Features, labels and sample weights, as `keras.Model.fit` takes them."""

_SHORTEST = 4
"""Two segments of nothing, and the three tokens around them, less one."""


class MaskedLMPreprocessor(keras.layers.Layer, Catalogued):  # type: ignore[misc]  # no types
    """Tokenizes, packs and masks texts, on every backend and inside of `tf.data`.

    Each family has a class of its own; `MaskedLMPreprocessor.from_preset` gives the right one.

    Masks are drawn anew at every call. Unlike KerasHub's, `[UNK]` is never selected: a model
    that learns to answer it is of no use.

    Attributes:
        tokenizer: what cuts texts into tokens.
        sequence_length: the length of every row; it may be set.
        truncate, mask_selection_rate, mask_selection_length, mask_token_rate, random_token_rate:
            the arguments of these names.
        masker: selects and replaces tokens.
        presets: the catalogue by name; an attribute of the class.
    """

    tokenizer_cls: ClassVar[type[Tokenizer]] = Tokenizer

    def __init__(  # noqa: PLR0917  # KerasHub's signature
        self,
        tokenizer: Tokenizer | SubwordTokenizer,
        sequence_length: int = 512,
        truncate: str = "round_robin",
        mask_selection_rate: float = 0.15,
        mask_selection_length: int = 96,
        mask_token_rate: float = 0.8,
        random_token_rate: float = 0.1,
        seed: int | None = None,
        *,
        config_file: str = "preprocessor.json",
        dtype: Any = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        """Prepare for a tokenizer.

        Args:
            tokenizer: that of the model.
            sequence_length: the length of every row, in tokens.
            truncate: `round_robin` or `waterfall`: which segment is cut where two do not fit.
            mask_selection_rate: how likely a token is selected, 0 to 1.
            mask_selection_length: the most masks a row, and the width of their arrays.
            mask_token_rate: how many of the selected tokens become `[MASK]`, 0 to 1.
            random_token_rate: how many become a random token, 0 to 1; the rest stay as they are.
            seed: makes the masks the same in every run; None makes them differ.
            config_file: KerasHub's name of the file that a preset keeps this in.
            dtype: Keras' argument; what is made here is whole numbers.
            name: of the layer.
            trainable: Keras' argument; there is nothing to train.

        Raises:
            ValueError: an argument is out of its range, or the vocabulary lacks a special token.
        """
        super().__init__(dtype=dtype, name=name, trainable=trainable)
        if truncate not in TRUNCATIONS:
            message = f"truncate is {truncate!r}; give one of {', '.join(TRUNCATIONS)}."
            raise ValueError(message)
        if isinstance(tokenizer, SubwordTokenizer):
            tokenizer = self.tokenizer_cls(subwords=tokenizer)
        if not isinstance(tokenizer, Tokenizer):
            wanted = self.tokenizer_cls.__name__
            message = f"tokenizer is a {type(tokenizer).__name__}; give a fillmask.{wanted}."
            raise ValueError(message)  # noqa: TRY004  # one kind of error for every wrong input
        self.config_file = config_file
        self.tokenizer = tokenizer
        self.sequence_length = sequence_length
        self.truncate = truncate
        subwords = tokenizer.subwords
        self.masker = TokenMasker(
            vocabulary_size=subwords.vocabulary_size,
            mask_token_id=subwords.mask_token_id,
            unselectable_token_ids=subwords.special_token_ids,
            mask_selection_rate=mask_selection_rate,
            mask_selection_length=mask_selection_length,
            mask_token_rate=mask_token_rate,
            random_token_rate=random_token_rate,
        )
        self.mask_selection_rate = mask_selection_rate
        self.mask_selection_length = mask_selection_length
        self.mask_token_rate = mask_token_rate
        self.random_token_rate = random_token_rate
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.built = True

    @classmethod
    def from_preset(
        cls,
        preset: str | Path,
        config_file: str = "preprocessor.json",
        *,
        directory: str | Path = DEFAULT_DIRECTORY,
        offline: bool = False,
        **kwargs: Any,
    ) -> Self:
        """Read the preprocessor of a preset.

        Args:
            preset: a name of the catalogue, a handle of its files, or a directory.
            config_file: KerasHub's name of the file; a preset has one for this task.
            directory: the model store's, where fetched files are and are put.
            offline: whether no connection may be tried.
            **kwargs: what the constructor takes, to overrule the preset: `sequence_length`, ...

        Returns:
            What the preset says; one that says nothing takes rows as long as its model does.

        Raises:
            ModelStoreError: there is no such preset, or its files cannot be had or are broken.
            TypeError: the constructor takes no such argument.
            ValueError: the preset is of another family.
        """
        files = find_files(preset, directory=directory, offline=offline)
        family, subwords, said = read_preprocessing(files)
        tokenizer = kwargs.pop("tokenizer", subwords)
        return cls.find_class(family, subwords)(
            tokenizer, **{**asdict(said), "config_file": config_file, **kwargs}
        )

    @classmethod
    def from_settings(
        cls, tokenizer: Tokenizer | SubwordTokenizer, settings: PreprocessorConfig
    ) -> Self:
        """Make what a preset describes.

        Raises:
            ModelLoadError: a setting is out of its range.
        """
        try:
            return cls(tokenizer, **asdict(settings))
        except ValueError as error:
            message = f"The preset's preprocessor cannot be used: {error}"
            raise ModelLoadError(message) from error

    @property
    def sequence_length(self) -> int:
        """The length of every row, in tokens."""
        return self._sequence_length

    @sequence_length.setter
    def sequence_length(self, value: int) -> None:
        if value < _SHORTEST:
            message = f"sequence_length is {value}; give {_SHORTEST} or more."
            raise ValueError(message)
        self._sequence_length = value

    def __call__(self, x: Any, y: Any = None, sample_weight: Any = None) -> Example:
        """Mask one text or several.

        Args:
            x: a string, a list, array or tensor of them, or a tuple of two such: first and second
                segments.
            y: None: labels are made here. Texts are second segments: `tf.data` hands pairs over
                like that.
            sample_weight: None, likewise.

        Returns:
            Features (`token_ids` int32, `padding_mask` bool and, where the family has segments,
            `segment_ids` int32, each `[rows, sequence_length]`; `mask_positions`
            `[rows, mask_selection_length]` int32),
            labels (`mask_ids`) and sample weights (`mask_weights`, float32), both of the shape of
            `mask_positions`. One text gives arrays without `rows`. Inside of a TensorFlow graph
            tensors, else NumPy's arrays.

        Raises:
            ValueError: labels or weights are given, or the segments cannot be paired.
        """
        if y is not None and not isinstance(x, tuple) and has_texts(y):
            x, y = (x, y), None
        if y is not None or sample_weight is not None:
            message = "Labels and weights are made from the texts; leave y and sample_weight out."
            raise ValueError(message)
        segments = x if isinstance(x, tuple) else (x,)
        if in_tensorflow_graph():
            return self._pack(call_dense(self._mask_in_graph, segments, self._list_outputs()))
        parts = self._mask(read_segments(segments))
        return self._pack([part[0] for part in parts] if is_text(segments[0]) else parts)

    def _mask(self, segments: tuple[list[str], ...]) -> list[Any]:
        """Return token ids, padding mask, segment ids, mask positions, mask ids and weights."""
        tokenized = [self.tokenizer.encode_batch(texts) for texts in segments]
        token_ids, segment_ids = pack_segments(
            list(zip(*tokenized, strict=True)),
            self.sequence_length,
            truncate=self.truncate,
            cls_token_id=self.tokenizer.cls_token_id,
            sep_token_id=self.tokenizer.sep_token_id,
            pad_token_id=self.tokenizer.pad_token_id,
            separators=self.separators,
        )
        masked = self.masker.mask(token_ids, self.rng)
        return [
            masked.token_ids,
            token_ids != self.tokenizer.pad_token_id,
            segment_ids,
            masked.mask_positions,
            masked.mask_ids,
            masked.mask_weights,
        ]

    def _mask_in_graph(self, *segments: Any) -> list[Any]:
        return self._mask(tuple(read_texts(texts) for texts in segments))

    def _pack(self, parts: list[Any]) -> Example:
        token_ids, padding_mask, segment_ids, mask_positions, mask_ids, mask_weights = parts
        features = {"token_ids": token_ids, "padding_mask": padding_mask}
        if self.has_segments:
            features["segment_ids"] = segment_ids
        return {**features, "mask_positions": mask_positions}, mask_ids, mask_weights

    def _list_outputs(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return type and shape of what `_mask` returns, the shape without rows."""
        row, masks = (self.sequence_length,), (self.mask_selection_length,)
        tokens = [("int32", row), ("bool", row), ("int32", row)]
        return [*tokens, ("int32", masks), ("int32", masks), ("float32", masks)]

    def to_settings(self) -> PreprocessorConfig:
        """Return what a preset keeps of the preprocessor."""
        return PreprocessorConfig(
            sequence_length=self.sequence_length,
            truncate=self.truncate,
            mask_selection_rate=self.mask_selection_rate,
            mask_selection_length=self.mask_selection_length,
            mask_token_rate=self.mask_token_rate,
            random_token_rate=self.random_token_rate,
        )

    def save_to_preset(self, preset_dir: str | Path) -> None:
        """Write preprocessor and tokenizer in KerasHub's format, replacing files that are there.

        Raises:
            ValueError: the format has no words for this tokenizer.
        """
        write_keras_preprocessor(
            self.family, self.tokenizer.subwords, self.to_settings(), Path(preset_dir)
        )

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs, the tokenizer included."""
        return {
            **super().get_config(),
            "config_file": self.config_file,
            "tokenizer": keras.saving.serialize_keras_object(self.tokenizer),
            **asdict(self.to_settings()),
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make the same preprocessor; its random numbers begin anew."""
        tokenizer = config["tokenizer"]
        if isinstance(tokenizer, dict):
            tokenizer = keras.saving.deserialize_keras_object(tokenizer)
        return cls(**config | {"tokenizer": tokenizer})

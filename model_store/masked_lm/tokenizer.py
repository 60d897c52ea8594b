"""The tokenizer as a Keras layer, with KerasHub's names."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from model_store.checkpoints import read_checkpoint, write_keras_preprocessor
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.masked_lm.preset import DEFAULT_DIRECTORY, Catalogued, find_files
from model_store.masked_lm.texts.tensorflow_graph import call_dense, call_joining, call_ragged
from model_store.masked_lm.texts.text_inputs import (
    in_tensorflow_graph,
    is_text,
    read_texts,
    to_array,
)
from model_store.masked_lm.vocabulary_layer import VocabularyLayer, read_files, restore


class Tokenizer(VocabularyLayer, Catalogued):
    """Texts become token ids, and ids become texts, on every backend and inside of `tf.data`.

    Each family has a class of its own; `Tokenizer.from_preset` gives the right one.

    Attributes:
        special_tokens_in_strings, sequence_length: the arguments of these names.
        cls_token, sep_token, pad_token, mask_token, oov_token: the spelling of these.
        cls_token_id, sep_token_id, pad_token_id, mask_token_id, start_token_id, end_token_id: the
            ids of these.
        vocabulary: its entries, the id of each its index.
        subwords: what cuts the texts.
        presets: the catalogue by name; an attribute of the class.
        transformers_class: the class of Transformers whose rules are the family's.
    """

    transformers_class: ClassVar[str] = ""

    def __init__(
        self,
        *,
        files: Mapping[str, Any] | None = None,
        subwords: SubwordTokenizer | dict[str, Any] | None = None,
        sequence_length: int | None = None,
        special_tokens: Sequence[str] | None = None,
        special_tokens_in_strings: bool = False,
        config_file: str = "tokenizer.json",
        dtype: Any = "int32",
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        """Build from the files of a vocabulary.

        Args:
            files: what the family's own files hold, by their names, or the paths of such files.
            subwords: a tokenizer, or its description, instead of files.
            sequence_length: pad with 0 and cut to this many tokens; None leaves the lengths.
            special_tokens: more entries that are never cut, where `special_tokens_in_strings`.
            special_tokens_in_strings: whether the mask and its like, written in a text, are the
                tokens of these names, or brackets and letters.
            config_file: KerasHub's name of the file that a preset keeps this in.
            dtype: `int32` gives ids, `string` gives entries.
            name: of the layer.
            trainable: Keras' argument; there is nothing to train.

        Raises:
            ValueError: the files are none of such a vocabulary.
        """
        super().__init__(dtype=dtype, name=name, trainable=trainable)
        self.config_file = config_file
        self.sequence_length = sequence_length
        self.special_tokens_in_strings = special_tokens_in_strings
        self._more_special_tokens = tuple(special_tokens or ())
        if subwords is not None:
            self._adopt(restore(subwords) if isinstance(subwords, dict) else subwords)
        elif files is not None:
            self._adopt(read_files(self.transformers_class, files))
        self.built = True

    @classmethod
    def from_preset(
        cls,
        preset: str | Path,
        config_file: str = "tokenizer.json",
        *,
        directory: str | Path = DEFAULT_DIRECTORY,
        offline: bool = False,
        **kwargs: Any,
    ) -> Self:
        """Read the tokenizer of a preset.

        Args:
            preset: a name of the catalogue, a handle of its files, or a directory.
            config_file: KerasHub's name of the file; a preset has one tokenizer.
            directory: the model store's, where fetched files are and are put.
            offline: whether no connection may be tried.
            **kwargs: what the constructor takes, but for how texts are cut: the preset says that.

        Raises:
            ModelStoreError: there is no such preset, or its files cannot be had or are broken.
            TypeError: the constructor takes no such argument.
            ValueError: the preset is of another family.
        """
        files = find_files(preset, directory=directory, offline=offline)
        read = read_checkpoint(files, weights=False)
        found, subwords = cls.find_class(read.config.family, read.tokenizer), read.tokenizer
        return found(subwords=subwords, config_file=config_file, **kwargs)

    def __call__(self, inputs: Any) -> Any:
        """Cut texts, as `tokenize` does."""
        return self.tokenize(inputs)

    def tokenize(self, inputs: Any) -> Any:
        """Cut texts into tokens.

        Args:
            inputs: a string, or a list, array or tensor of strings.

        Returns:
            Of one text, `[tokens]` int32. Of several, a list of such lists; with
            `sequence_length`, `[rows, sequence_length]` int32. With `dtype="string"` entries
            instead of ids. Inside of a TensorFlow graph tensors, ragged ones where rows differ.

        Raises:
            ValueError: there is no vocabulary, or something is no text.
        """
        if in_tensorflow_graph():
            if self.sequence_length:
                kind = (self.dtype, (self.sequence_length,))
                return call_dense(lambda texts: [np.array(self._cut(texts))], [inputs], [kind])[0]
            return call_ragged(self._cut, inputs, self.dtype)
        if isinstance(inputs, list) and inputs and not isinstance(inputs[0], str | bytes):
            return [self.tokenize(row) for row in inputs]
        rows = self._cut(inputs)
        if self._gives_entries:
            return rows[0] if is_text(inputs) else rows
        if is_text(inputs):
            return np.array(rows[0], np.int32)
        return np.array(rows, np.int32) if self.sequence_length else rows

    def detokenize(self, inputs: Any) -> Any:
        """Put tokens together to texts, as the family spells them.

        Args:
            inputs: `[tokens]` or `[rows, tokens]` ids, a list of rows of any length, or a tensor.

        Returns:
            One text, or a list of texts.

        Raises:
            ValueError: there is no vocabulary, or it has no such id.
        """
        if in_tensorflow_graph():
            return call_joining(self._join, inputs)
        rows = inputs.to_list() if hasattr(inputs, "to_list") else inputs
        rows = rows if isinstance(rows, list | tuple) else to_array(rows).tolist()
        if len(rows) and np.ndim(rows[0]) > 0:
            return [self._join(row) for row in rows]
        return self._join(rows)

    def save_to_preset(self, preset_dir: str | Path) -> None:
        """Write the tokenizer in KerasHub's format; files that are there are replaced.

        Raises:
            ValueError: the format has no words for this tokenizer.
        """
        write_keras_preprocessor(self.family, self.subwords, None, Path(preset_dir))

    @property
    def _gives_entries(self) -> bool:
        return str(self.dtype) == "string"

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, whatever `dtype` and `sequence_length` say."""
        self.subwords  # noqa: B018  # says so where there is no vocabulary yet
        encodings = self._rust.encode_batch_fast(list(texts), add_special_tokens=False)
        return [row.ids for row in encodings]

    def _cut(self, inputs: Any) -> list[list[Any]]:
        """Return the tokens of each text, padded and cut where there is a length."""
        rows: list[list[Any]] = self.encode_batch(read_texts(inputs))
        if self._gives_entries:
            rows = [[self.id_to_token(token_id) for token_id in row] for row in rows]
        length, padding = self.sequence_length, "" if self._gives_entries else 0
        if length is None:
            return rows
        return [row[:length] + [padding] * (length - len(row)) for row in rows]

    def _join(self, token_ids: Sequence[int]) -> str:
        for token_id in token_ids:
            self.id_to_token(token_id)  # refuses what is none
        text: str = self.subwords.decode(list(token_ids), skip_special_tokens=False)
        return text

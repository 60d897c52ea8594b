"""Google's original format: a TensorFlow 1 checkpoint, as `google-research/bert` wrote it.

    bert_config.json          the shape
    bert_model.ckpt.index     the names of the variables and where they lie
    bert_model.ckpt.data-*    their values
    vocab.txt                 the tokenizer's entries, one a line

There is no `config.json`. TensorFlow reads the files, and is imported only for that. GELU is taken
in its erf form, as Transformers does (docs/decisions/0006).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_store.checkpoints.checkpoint import Checkpoint, Variables
from model_store.checkpoints.config_fields import read_config_fields
from model_store.checkpoints.files import read_json, read_vocabulary
from model_store.checkpoints.transformers.families.bert import HEAD_BIAS, list_tensors
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.errors import ModelLoadError

_CONFIG = "bert_config.json"
_CHECKPOINT = "bert_model.ckpt"


def is_google_tf1(directory: Path) -> bool:
    """Say whether a directory is one of Google's: its config has a name of its own."""
    return not (directory / "config.json").is_file() and (directory / _CONFIG).is_file()


def read_google_tf1(directory: Path, *, weights: bool = True) -> Checkpoint:
    """Read a directory as Google published them for BERT.

    What training left in the checkpoint (`adam_m`, `adam_v`, `global_step`) is not read.

    Raises:
        ModelLoadError: a file is missing or broken, or TensorFlow is not installed.
    """
    raw = read_json(directory / _CONFIG)
    config = read_config_fields(_CONFIG, raw, tied=True)
    tokenizer = _read_tokenizer(directory, raw)
    variables = _read_variables(directory / _CHECKPOINT, config) if weights else {}
    return Checkpoint(config, tokenizer, variables)


def _read_variables(path: Path, config: EncoderConfig) -> Variables:
    """Return the variables that the file has; kernels are `[in, out]` there too."""
    tf = _import_tensorflow()
    parts = [path.with_name(f"{path.name}.index"), *path.parent.glob(f"{path.name}.data-*")]
    if not all(part.is_file() for part in parts):
        # TensorFlow would wait for a pipe without end.
        message = f"{path.name} has a part that is no plain file; fetch its files again."
        raise ModelLoadError(message)
    try:
        reader = tf.train.load_checkpoint(str(path))
        return {
            ours: reader.get_tensor(name)
            for name, ours in _list_variables(config)
            if reader.has_tensor(name)
        }
    except (tf.errors.OpError, IndexError, RuntimeError, ValueError) as error:
        message = f"{path.name} cannot be read; fetch its .index and .data files again."
        raise ModelLoadError(message) from error


def _import_tensorflow() -> Any:
    try:
        import tensorflow as tf  # noqa: PLC0415  # seconds, and needed for no other format
    except ImportError as error:
        message = (
            "Google's checkpoints are read with TensorFlow, which is not installed; "
            "install tensorflow, or save the model in Transformers' format."
        )
        raise ModelLoadError(message) from error
    return tf


def _list_variables(config: EncoderConfig) -> list[tuple[str, str]]:
    return [(_google_name(name, path), path) for name, path in list_tensors(config)]


def _google_name(name: str, path: str) -> str:
    """Return the name that Transformers made `name` of; layers end in the name of our variable."""
    if name == HEAD_BIAS:
        return "cls/predictions/output_bias"
    layer = name.rpartition(".")[0].replace(".layer.", ".layer_").replace(".", "/")
    variable = path.rpartition("/")[2]
    return layer if variable == "embeddings" else f"{layer}/{variable}"


def _read_tokenizer(directory: Path, raw: dict[str, Any]) -> SubwordTokenizer:
    vocabulary = read_vocabulary(directory / "vocab.txt")
    lowercase = raw.get("do_lower_case")
    if lowercase is None:
        lowercase = _is_lowercased(vocabulary)
    try:
        return build_word_piece(vocabulary, lowercase=lowercase)
    except (TypeError, ValueError) as error:
        message = f"The tokenizer cannot be used: {error}; fetch its files again."
        raise ModelLoadError(message) from error


def _is_lowercased(vocabulary: Sequence[str]) -> bool:
    """Say whether a vocabulary was made from lowercased text.

    Google's code takes the case from a flag of its user, and no file records it. But a vocabulary
    counted on lowercased text holds no entry that lowercasing would change, and one counted on
    text with case holds thousands; only the special tokens, in brackets, say nothing.
    """
    return all(
        entry == entry.lower() or (entry.startswith("[") and entry.endswith("]"))
        for entry in vocabulary
    )

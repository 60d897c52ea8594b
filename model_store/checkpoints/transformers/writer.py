"""Writing a directory that Transformers' `BertForMaskedLM.from_pretrained` loads."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors.numpy import save_file

from model_store.checkpoints.checkpoint import Array, Checkpoint
from model_store.checkpoints.completeness import require_complete
from model_store.checkpoints.config_fields import write_config_fields
from model_store.checkpoints.files import write_json, write_vocabulary
from model_store.checkpoints.new_directory import new_directory
from model_store.checkpoints.transformers.families.bert import BERT, HEAD_BIAS
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import is_plain

Precision = Literal["float32", "float16"]


def write_transformers_dir(
    checkpoint: Checkpoint, directory: Path, *, dtype: Precision = "float32"
) -> None:
    """Write a checkpoint in Transformers' format; a tied decoder is stored once.

    Transformers has one activation and one epsilon for encoder and head. A head with others, as
    KerasHub's BERT has, is described in the object `fillmask` of `config.json`. Our reader takes
    it; Transformers does not look there, and its answers differ a little.

    Args:
        checkpoint: a complete one.
        directory: where the files are to be; it appears when all of them are written.
        dtype: the precision of the stored weights.

    Raises:
        FileExistsError: there is something of that name.
        ValueError: a weight is too large for float16, or the model is no BERT.
        ModelLoadError: the checkpoint is incomplete.
    """
    _require_bert(checkpoint)
    require_complete(checkpoint)
    with new_directory(directory) as unfinished:
        described, weights = unfinished / "config.json", unfinished / "model.safetensors"
        write_json(described, _describe(checkpoint, dtype))
        save_file(_name_tensors(checkpoint, dtype), weights, metadata={"format": "pt"})
        # The library lets the owner alone read it; the umask has the say, as for any other file.
        weights.chmod(described.stat().st_mode)
        write_tokenizer(checkpoint, unfinished)


def _require_bert(checkpoint: Checkpoint) -> None:
    family = checkpoint.config.family
    if family != BERT.name or checkpoint.config.list_differences():
        message = f"A model of the family {family!r} is not written; keep the files it came from."
        raise ValueError(message)


def _describe(checkpoint: Checkpoint, dtype: Precision) -> dict[str, Any]:
    return {
        "architectures": ["BertForMaskedLM"],
        "model_type": "bert",
        **write_config_fields(checkpoint.config),
        "pad_token_id": checkpoint.tokenizer.pad_token_id,
        "dtype": dtype,
    }


def _name_tensors(checkpoint: Checkpoint, dtype: Precision) -> dict[str, Array]:
    """Return the variables under Transformers' names, kernels turned to `[out, in]`."""
    tensors: dict[str, Array] = {}
    for name, path in BERT.list_tensors(checkpoint.config):
        if path not in checkpoint.variables:
            continue  # what may be missing, `require_complete` has said
        array = _cast(path, checkpoint.variables[path], dtype)
        tensors[name] = np.ascontiguousarray(array.T if path.endswith("/kernel") else array)
    if not checkpoint.config.tie_word_embeddings:
        # Transformers adds the bias under this name where the decoder is not tied.
        tensors[BERT.decoder_bias] = tensors[HEAD_BIAS].copy()
    return tensors


def _cast(path: str, array: Array, dtype: Precision) -> Array:
    with np.errstate(over="ignore"):  # looked for in the next line
        cast = array.astype(dtype)
    if not np.isfinite(cast).all():
        message = f"{path} holds numbers that {dtype} cannot; write float32 and check the weights."
        raise ValueError(message)
    return cast


def write_tokenizer(checkpoint: Checkpoint, directory: Path) -> None:
    """Write `tokenizer.json` and its options, and `vocab.txt` where that says the same."""
    tokenizer = checkpoint.tokenizer
    (directory / "tokenizer.json").write_text(tokenizer.to_json(), "utf-8")
    special = tokenizer.special_tokens
    options: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": checkpoint.config.max_sequence_length,
        "clean_up_tokenization_spaces": tokenizer.clean_up_spaces,
        "pad_token": special.pad,
        "unk_token": special.unk,
        "cls_token": special.cls,
        "sep_token": special.sep,
        "mask_token": special.mask,
    }
    if is_plain(tokenizer):
        options |= _list_bert_options(tokenizer)
        write_vocabulary(directory / "vocab.txt", tokenizer.vocabulary)
    write_json(directory / "tokenizer_config.json", options)


def _list_bert_options(tokenizer: SubwordTokenizer) -> dict[str, Any]:
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": tokenizer.lowercase,
        "strip_accents": tokenizer.strip_accents,
        "tokenize_chinese_chars": tokenizer.split_cjk,
    }

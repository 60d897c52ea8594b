"""Writing a directory that Transformers' `AutoModelForMaskedLM.from_pretrained` loads."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors.numpy import save_file

from model_store.checkpoints.checkpoint import Array, Checkpoint
from model_store.checkpoints.completeness import require_complete
from model_store.checkpoints.config_fields import EXTRA
from model_store.checkpoints.files import write_json, write_vocabulary
from model_store.checkpoints.new_directory import new_directory
from model_store.checkpoints.transformers.config import BEYOND, read_config
from model_store.checkpoints.transformers.families import find_by_name
from model_store.checkpoints.transformers.families.family import Family
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.encoder.tokenizers.word_piece import is_plain

Precision = Literal["float32", "float16"]

_SEGMENTS = "segment_embedding/embeddings"
_POSITIONS = "position_embedding/embeddings"


def write_transformers_dir(
    checkpoint: Checkpoint, directory: Path, *, dtype: Precision = "float32"
) -> None:
    """Write a checkpoint in Transformers' format; a tied decoder is stored once.

    Transformers' BERT, for one, has one activation and one epsilon for encoder and head. A head
    with others, as KerasHub's BERT has, is described in the object `fillmask` of `config.json`.
    Our reader takes it; Transformers does not look there, and its answers differ a little.

    Args:
        checkpoint: a complete one.
        directory: where the files are to be; it appears when all of them are written.
        dtype: the precision of the stored weights.

    Raises:
        FileExistsError: there is something of that name.
        ValueError: a weight is too large for float16, or the model is none of its
            family in Transformers.
        ModelLoadError: the checkpoint is incomplete.
    """
    require_complete(checkpoint)
    family = find_by_name(checkpoint.config.family)
    checkpoint = _complete(checkpoint, family)
    content = _describe(checkpoint, family, dtype)
    with new_directory(directory) as unfinished:
        described, weights = unfinished / "config.json", unfinished / "model.safetensors"
        write_json(described, content)
        save_file(_name_tensors(checkpoint, family, dtype), weights, metadata={"format": "pt"})
        # The library lets the owner alone read it; the umask has the say, as for any other file.
        weights.chmod(described.stat().st_mode)
        write_tokenizer(checkpoint, unfinished)


def _complete(checkpoint: Checkpoint, family: Family) -> Checkpoint:
    """Return a model with what its family always has in Transformers, as zeros where it has not.

    They add nothing to a text: a segment, and a position for padding.
    """
    config, variables = checkpoint.config, dict(checkpoint.variables)
    paths = [path for _, path in family.list_tensors(config)]
    nothing = np.zeros((1, config.embeddings_width), np.float32)
    if not config.num_segments and _SEGMENTS in paths:
        variables[_SEGMENTS] = nothing
        config = replace(config, num_segments=1)
    if family.skips_padding and config.learned_positions and config.skipped_token is None:
        variables[_POSITIONS] = np.concatenate([variables[_POSITIONS], nothing])
        config = replace(config, skipped_token=checkpoint.tokenizer.pad_token_id)
    return replace(checkpoint, config=config, variables=variables)


def _find_padding(checkpoint: Checkpoint) -> int:
    """Return the id of padding: what the encoder skips goes before what the tokenizer says."""
    skipped = checkpoint.config.skipped_token
    return checkpoint.tokenizer.pad_token_id if skipped is None else skipped


def _describe(checkpoint: Checkpoint, family: Family, dtype: Precision) -> dict[str, Any]:
    """Return the content of `config.json`, in which stands all that its reader needs.

    Raises:
        ValueError: the model is none that its family's class in Transformers could be.
    """
    config, padding = checkpoint.config, _find_padding(checkpoint)
    kind, architecture = family.name_class(checkpoint.tokenizer.spelling)
    raw = {
        "architectures": [architecture],
        "model_type": kind,
        **family.write_config(config, padding),
        "pad_token_id": padding,
        "dtype": dtype,
    }
    unsaid = _compare(config, read_config(family, raw, tied=config.tie_word_embeddings))
    unsayable = sorted(unsaid.keys() - set(BEYOND))
    if unsayable:
        message = (
            f"{family.title} in Transformers has no {' or '.join(unsayable)} as this model has; "
            "save a .keras file instead."
        )
        raise ValueError(message)
    return {**raw, EXTRA: unsaid} if unsaid else raw


def _compare(config: EncoderConfig, said: EncoderConfig) -> dict[str, Any]:
    """Return the fields of a config that are not what was said."""
    names = (field.name for field in fields(config))
    return {
        name: getattr(config, name)
        for name in names
        if getattr(config, name) != getattr(said, name)
    }


def _name_tensors(checkpoint: Checkpoint, family: Family, dtype: Precision) -> dict[str, Array]:
    """Return the variables under Transformers' names, kernels turned to `[out, in]`."""
    config = checkpoint.config
    tensors: dict[str, Array] = {}
    for name, path in family.list_tensors(config):
        if path not in checkpoint.variables:
            continue  # what may be missing, `require_complete` has said
        array = _cast(path, checkpoint.variables[path], dtype)
        tensors[name] = array.T if path.endswith("/kernel") else array
        is_apart = family.decoder_bias and not config.tie_word_embeddings
        if path == "masked_lm_head/bias" and is_apart:
            # Transformers adds the bias under this name where the decoder is not tied.
            tensors[family.decoder_bias] = tensors[name].copy()
    restored = family.restore(tensors, config, _find_padding(checkpoint))
    return {name: np.ascontiguousarray(array) for name, array in restored.items()}


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

"""Holding a checkpoint against what it claims: a model half random must never answer."""

from itertools import chain

from model_store.bert.variable_shapes import list_backbone_shapes, list_head_shapes
from model_store.checkpoints.checkpoint import Checkpoint
from model_store.errors import HeadMissingError, ModelLoadError


def require_complete(checkpoint: Checkpoint) -> None:
    """Check that every variable is there in its shape, before anything is built.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: another variable is missing or misshapen, or the tokenizer is too large.
    """
    require_matching_vocabulary(checkpoint)
    _require_variables(checkpoint)


def require_matching_vocabulary(checkpoint: Checkpoint) -> None:
    """Check that every entry of the tokenizer has a row in the model.

    Raises:
        ModelLoadError: there are more entries than rows.
    """
    entries, rows = checkpoint.tokenizer.vocabulary_size, checkpoint.config.vocabulary_size
    if entries > rows:
        message = (
            f"The tokenizer has {entries} entries and the model {rows}; "
            "take both from the same checkpoint."
        )
        raise ModelLoadError(message)


def _require_variables(checkpoint: Checkpoint) -> None:
    variables, config = checkpoint.variables, checkpoint.config
    for path, _ in list_head_shapes(config):
        if path not in variables:
            message = (
                f"The checkpoint has no masked-LM head ({path} is missing); "
                "use one that was saved with its head."
            )
            raise HeadMissingError(message)
    for path, shape in chain(list_backbone_shapes(config), list_head_shapes(config)):
        if path not in variables:
            message = f"The checkpoint lacks {path}; fetch it again."
            raise ModelLoadError(message)
        if variables[path].shape != shape:
            message = (
                f"{path} has the shape {variables[path].shape} and the config says {shape}; "
                "take both from the same checkpoint."
            )
            raise ModelLoadError(message)

"""Holding a checkpoint against what it claims: a model half random must never answer."""

from itertools import chain

from model_store.checkpoints.checkpoint import Checkpoint, Variables
from model_store.encoder.config import EncoderConfig
from model_store.encoder.variable_shapes import list_backbone_shapes, list_head_shapes
from model_store.errors import HeadMissingError, ModelLoadError


def require_complete(checkpoint: Checkpoint) -> None:
    """Check that every variable is there in its shape, before anything is built.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: another variable is missing or misshapen, or the tokenizer is too large.
    """
    require_matching_vocabulary(checkpoint)
    require_variables(checkpoint.config, checkpoint.variables)


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


def require_variables(config: EncoderConfig, variables: Variables, *, head: bool = True) -> None:
    """Check that every variable is there in its shape, those of the head where there is to be one.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: another variable is missing or misshapen.
    """
    head_shapes = dict(list_head_shapes(config)) if head else {}
    for path in head_shapes:
        if path not in variables:
            message = (
                f"The checkpoint has no masked-LM head ({path} is missing); "
                "use one that was saved with its head."
            )
            raise HeadMissingError(message)
    for path, shape in chain(list_backbone_shapes(config), head_shapes.items()):
        if path not in variables:
            message = f"The checkpoint lacks {path}; fetch it again."
            raise ModelLoadError(message)
        if variables[path].shape != shape:
            message = (
                f"{path} has the shape {variables[path].shape} and the config says {shape}; "
                "take both from the same checkpoint."
            )
            raise ModelLoadError(message)

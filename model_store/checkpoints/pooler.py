"""The pooler: a checkpoint of a masked LM may have one, and no answer depends on it."""

from model_store.checkpoints.checkpoint import Variables
from model_store.encoder.config import EncoderConfig
from model_store.encoder.variable_shapes import list_pooler_shapes


def drop_unfit_pooler(config: EncoderConfig, variables: Variables) -> Variables:
    """Return variables with a pooler that is whole and trained, or with none.

    Zeros are how a KerasHub preset, which always has one, says that there is none.
    """
    shapes = dict(list_pooler_shapes(config))
    found = {path: variables.get(path) for path in shapes}
    is_whole = all(
        array is not None and array.shape == shapes[path] for path, array in found.items()
    )
    if is_whole and any(array is not None and array.any() for array in found.values()):
        return variables
    return {path: array for path, array in variables.items() if path not in shapes}

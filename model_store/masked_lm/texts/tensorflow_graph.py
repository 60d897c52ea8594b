"""Running Python on texts inside of a TensorFlow graph, as `tf.data.Dataset.map` makes one.

The graph calls back into Python for every batch. The tokenizer is Rust and lets other threads run,
but packing and masking hold Python's lock, so `num_parallel_calls` gains little.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def call_ragged(function: Callable[[Any], Sequence[Any]], inputs: Any, dtype: str) -> Any:
    """Call a function that gives a list of rows of any length, of one tensor.

    Returns:
        A `tf.RaggedTensor` for `[rows]` inputs; a tensor of one row's values for one input.
    """
    import tensorflow as tf  # noqa: PLC0415  # it is there: it is what calls this

    inputs = tf.convert_to_tensor(inputs)

    def run(values: Any) -> tuple[Any, Any]:
        rows = [np.asarray(row, object if dtype == "string" else dtype) for row in function(values)]
        lengths = np.array([len(row) for row in rows], np.int64)
        return np.concatenate([np.zeros(0, rows[0].dtype if rows else dtype), *rows]), lengths

    flat = tf.reshape(inputs, [-1]) if inputs.shape.rank == 0 else inputs
    values, lengths = tf.numpy_function(run, [flat], [dtype, tf.int64])
    values.set_shape([None])
    lengths.set_shape([None])
    if inputs.shape.rank == 0:
        return values
    return tf.RaggedTensor.from_row_lengths(values, lengths)


def call_dense(
    function: Callable[..., Sequence[Any]],
    inputs: Sequence[Any],
    outputs: Sequence[tuple[str, tuple[int, ...]]],
) -> list[Any]:
    """Call a function that gives arrays of known shapes, of several tensors.

    Args:
        function: of as many arrays of texts, `[rows]`, as there are inputs.
        inputs: `[rows]` or scalar string tensors.
        outputs: type and shape of what the function returns, the shape without rows.

    Returns:
        The tensors; without rows where the inputs are scalars.
    """
    import tensorflow as tf  # noqa: PLC0415  # it is there: it is what calls this

    tensors = [tf.convert_to_tensor(part) for part in inputs]
    single = tensors[0].shape.rank == 0
    flat = [tf.reshape(tensor, [-1]) for tensor in tensors]
    results = tf.numpy_function(function, flat, [dtype for dtype, _ in outputs])
    for result, (_, shape) in zip(results, outputs, strict=True):
        result.set_shape((None, *shape))
    return [result[0] for result in results] if single else list(results)


def call_joining(function: Callable[[Any], Any], inputs: Any) -> Any:
    """Call a function that makes one text of a row of ids, for every row of a tensor.

    Returns:
        A `[rows]` string tensor, or a scalar one for `[ids]` inputs.
    """
    import tensorflow as tf  # noqa: PLC0415  # it is there: it is what calls this

    ragged = inputs if isinstance(inputs, tf.RaggedTensor) else tf.convert_to_tensor(inputs)
    single = ragged.shape.rank == 1
    if single:
        ragged = ragged[None]
    if not isinstance(ragged, tf.RaggedTensor):
        ragged = tf.RaggedTensor.from_tensor(ragged)

    def run(values: Any, lengths: Any) -> Any:
        rows = np.split(values, np.cumsum(lengths)[:-1])
        return np.array([function(row.tolist()).encode() for row in rows], object)

    texts = tf.numpy_function(run, [ragged.values, ragged.row_lengths()], tf.string)
    texts.set_shape([None])
    return texts[0] if single else texts

"""The machine's own peak: one large matrix product, in the library that an engine uses.

Each function returns a product to run and time, or raises `UnsupportedPrecisionError` where the
library cannot compute in that precision on this processor. Emulated precisions are measured as
they are: a product in bfloat16 may be slower than one in float32.
"""

from collections.abc import Callable

import numpy as np

Product = Callable[[], object]


class UnsupportedPrecisionError(Exception):
    """A library has no such product on this processor."""


def count_product(size: int) -> int:
    """Count the operations of a square product."""
    return 2 * size**3


def make_product(library: str, precision: str, size: int) -> Product:
    """Return a square product of random matrices."""
    makers = {
        "tensorflow": _make_tensorflow,
        "torch": _make_torch,
        "jax": _make_jax,
        "openvino": _make_openvino,
        "onnxruntime": _make_onnxruntime,
    }
    rng = np.random.default_rng(20)
    left, right = rng.standard_normal((2, size, size), np.float32)
    return makers[library](precision, left, right)


def _make_tensorflow(precision: str, left: np.ndarray, right: np.ndarray) -> Product:
    import tensorflow as tf  # noqa: PLC0415

    a, b = (tf.constant(matrix, getattr(tf, precision)) for matrix in (left, right))
    return tf.function(lambda: tf.matmul(a, b))


def _make_torch(precision: str, left: np.ndarray, right: np.ndarray) -> Product:
    import torch  # noqa: PLC0415

    device = "cuda" if torch.cuda.is_available() else "cpu"
    a, b = (torch.from_numpy(m).to(device, getattr(torch, precision)) for m in (left, right))
    if device == "cpu":
        return lambda: torch.matmul(a, b)

    def run() -> None:
        torch.matmul(a, b)
        torch.cuda.synchronize()

    return run


def _make_jax(precision: str, left: np.ndarray, right: np.ndarray) -> Product:
    import jax  # noqa: PLC0415

    a, b = (jax.numpy.asarray(matrix, precision) for matrix in (left, right))
    # float32 is meant, as the engine computes it: by itself JAX may round what it multiplies.
    exact = "highest" if precision == "float32" else None
    multiply = jax.jit(lambda x, y: jax.numpy.matmul(x, y, precision=exact))
    return lambda: multiply(a, b).block_until_ready()


def _make_openvino(precision: str, left: np.ndarray, right: np.ndarray) -> Product:
    import openvino as ov  # noqa: PLC0415
    from openvino import opset13 as ops  # noqa: PLC0415

    capability = {"float32": "FP32", "float16": "FP16", "bfloat16": "BF16"}
    core = ov.Core()
    listed = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if capability.get(precision) not in listed:
        message = f"OpenVINO lists {' '.join(sorted(listed))} for this processor"
        raise UnsupportedPrecisionError(message)
    parameter = ops.parameter(left.shape, np.float32)
    product = ops.matmul(parameter, ops.constant(right), transpose_a=False, transpose_b=False)
    hint = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}[precision]
    model = ov.Model([product], [parameter])
    config = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(model, "CPU", config).create_infer_request()
    request.set_input_tensor(ov.Tensor(left))
    return request.infer


def _make_onnxruntime(precision: str, left: np.ndarray, right: np.ndarray) -> Product:
    import onnxruntime  # noqa: PLC0415
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    if precision != "float32":
        message = "only float32 is measured with ONNX Runtime"
        raise UnsupportedPrecisionError(message)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", TensorProto.FLOAT, left.shape)],
        [helper.make_tensor_value_info("product", TensorProto.FLOAT, left.shape)],
        [numpy_helper.from_array(right, "right")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return lambda: session.run(None, {"left": left})

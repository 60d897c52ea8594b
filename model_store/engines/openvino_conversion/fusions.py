"""Operations that OpenVINO has a kernel for, in place of the steps that Keras' export writes.

OpenVINO finds such places by itself, but not as TensorFlow spells them: each step was a pass over
all activations.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from openvino import Model, Output, opset13
from openvino.passes import AnyInput, Manager, Matcher, MatcherPass, WrapType

Match = dict[Any, Any]
"""What stands in the graph, by what stands in the pattern."""
Writer = Callable[[Match], list[Output]]
"""Makes what comes in the place of each output of a match; none, if it is to stay."""


def fuse(graph: Model) -> None:
    """Say everywhere what OpenVINO has a kernel for as it looks for it."""
    manager = Manager()
    normalizations = (_layer_normalization(has_beta=has_beta) for has_beta in (True, False))
    for pattern, write in (_gelu(), *normalizations, _rotation(), _cut_product()):
        manager.register_pass(_Fusion(pattern, write))
    manager.run_passes(graph)


class _Fusion(MatcherPass):  # type: ignore[misc]  # openvino ships no types
    """Puts what `write` makes in the place of each match."""

    def __init__(self, pattern: Any, write: Writer) -> None:
        super().__init__()

        def replace(matcher: Matcher) -> bool:
            outputs = write(matcher.get_pattern_value_map())
            for old, new in zip(matcher.get_match_root().outputs(), outputs, strict=bool(outputs)):
                old.replace(new)
            return bool(outputs)

        self.register_matcher(Matcher(pattern, "Fusion"), replace)


def _gelu() -> tuple[Any, Writer]:
    """`0.5 x erfc(-x / sqrt(2))`, of which the graph has `1 - erf`."""
    x = AnyInput()
    erf = _op("Erf", _op("Multiply", x, _constant(-math.sqrt(0.5))))
    half = _op("Multiply", _constant(0.5), x)
    pattern = _op("Multiply", half, _op("Subtract", _constant(1), erf))
    return pattern, lambda match: [opset13.gelu(match[x], "ERF").output(0)]


def _layer_normalization(*, has_beta: bool) -> tuple[Any, Writer]:
    """`x s + (b - m s)` with `s = g / sqrt(v + e)`: `m` and `v` are the last axis' moments.

    Without a beta, `b` is not there.
    """
    x, gamma, beta, epsilon = AnyInput(), _constant(), _constant(), _constant()
    mean = _op("ReduceMean", x, _constant(-1))
    variance = _op("ReduceMean", _op("SquaredDifference", x, mean), _constant(-1))
    deviation = _op("Power", _op("Add", variance, epsilon), _constant(-0.5))
    scale = _op("Multiply", deviation, gamma)
    shift = _op("Multiply", _op("Multiply", mean, _constant(-1)), scale)
    if has_beta:
        shift = _op("Add", shift, beta)
    pattern = _op("Add", _op("Multiply", x, scale), shift)

    def write(match: Match) -> list[Output]:
        axes = opset13.constant(np.array([-1]))
        smallest = match[epsilon].get_node().get_vector()[0]
        normal = opset13.mvn(match[x], axes, True, smallest, "INSIDE_SQRT")  # noqa: FBT003
        scaled = opset13.multiply(normal, match[gamma])
        shifted = opset13.add(scaled, match[beta]) if has_beta else scaled
        return [shifted.output(0)]

    return pattern, write


def _rotation() -> tuple[Any, Writer]:
    """`x cos + (-b, a) sin`, where `a` and `b` are the halves of `x` along its last axis.

    Of keys it is the last but one by now: what turns them for the product has moved up here.
    """
    x, cos, sin, axis = AnyInput(), AnyInput(), AnyInput(), _constant()
    halves = _op("Split", x, axis)
    crossed = _op("Concat", _op("Multiply", halves, _constant(-1)), halves)
    pattern = _op("Add", _op("Multiply", x, cos), _op("Multiply", crossed, sin))
    order = np.array([0, 1, 3, 2])

    def write(match: Match) -> list[Output]:
        along = match[axis].get_node().get_vector()[0] % len(order)
        is_last = along == len(order) - 1
        vectors, across, aside = (
            match[each] if is_last else opset13.transpose(match[each], order).output(0)
            for each in (x, cos, sin)
        )
        half = match[x].get_partial_shape()[along].get_length() // 2
        # OpenVINO knows a rotation by this axis and these lengths alone.
        first, second = opset13.variadic_split(vectors, 3, [half, -1]).outputs()
        crossed = opset13.concat([opset13.multiply(second, np.float32(-1)), first], -1)
        turned = opset13.add(opset13.multiply(vectors, across), opset13.multiply(crossed, aside))
        moved = turned if is_last else opset13.transpose(turned, order)
        return [moved.output(0)]

    return pattern, write


def _cut_product() -> tuple[Any, Writer]:
    """A product that is cut in parts: each is one of its own, with what comes after it.

    Their weights stand the other way round. Where they do not, OpenVINO takes a gated feed-forward
    for that of a language model, whose kernel is up to a tenth slower on batches of short texts.
    """
    x, weights = AnyInput(), _constant()
    product = _op("MatMul", x, weights)
    pattern = _op("Split", product, _constant(-1))

    def write(match: Match) -> list[Output]:
        if not match[product].get_node().get_attributes()["transpose_b"]:
            return []
        count = match[pattern].get_node().get_output_size()
        parts = np.split(match[weights].get_node().get_data().T, count, axis=1)
        products = (
            opset13.matmul(match[x], np.ascontiguousarray(part), False, False)  # noqa: FBT003
            for part in parts
        )
        return [each.output(0) for each in products]

    return pattern, write


def _op(kind: str, *inputs: Any) -> Any:
    return WrapType(f"opset13.{kind}", list(inputs))


def _constant(value: float | None = None) -> Any:
    """Return the pattern of a constant, of this value if one is given."""

    def fits(output: Output) -> bool:
        return value is None or np.allclose(output.get_node().get_vector(), value)

    return WrapType("opset13.Constant", fits)

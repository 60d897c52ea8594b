"""Operations that OpenVINO has a kernel for, in place of the steps that Keras' export writes.

OpenVINO finds such places by itself, but not as TensorFlow spells them: each step was a pass over
all activations.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from openvino import Model, Node, Output, opset13
from openvino.passes import AnyInput, Manager, Matcher, MatcherPass, WrapType
from openvino.utils import replace_node

Match = dict[Any, Any]
"""What stands in the graph, by what stands in the pattern."""


def fuse(graph: Model) -> None:
    """Say GELU and layer normalization in one operation each, wherever they are."""
    manager = Manager()
    normalizations = (_layer_normalization(has_beta=has_beta) for has_beta in (True, False))
    for pattern, write in (_gelu(), *normalizations):
        manager.register_pass(_Fusion(pattern, write))
    manager.run_passes(graph)


class _Fusion(MatcherPass):  # type: ignore[misc]  # openvino ships no types
    """Puts what `write` makes in the place of each match."""

    def __init__(self, pattern: Any, write: Callable[[Match], Node]) -> None:
        super().__init__()

        def replace(matcher: Matcher) -> bool:
            replace_node(matcher.get_match_root(), write(matcher.get_pattern_value_map()))
            return True

        self.register_matcher(Matcher(pattern, "Fusion"), replace)


def _gelu() -> tuple[Any, Callable[[Match], Node]]:
    """`0.5 x erfc(-x / sqrt(2))`, of which the graph has `1 - erf`."""
    x = AnyInput()
    erf = _op("Erf", _op("Multiply", x, _constant(-math.sqrt(0.5))))
    half = _op("Multiply", _constant(0.5), x)
    pattern = _op("Multiply", half, _op("Subtract", _constant(1), erf))
    return pattern, lambda match: opset13.gelu(match[x], "ERF")


def _layer_normalization(*, has_beta: bool) -> tuple[Any, Callable[[Match], Node]]:
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

    def write(match: Match) -> Node:
        axes = opset13.constant(np.array([-1]))
        smallest = match[epsilon].get_node().get_vector()[0]
        normal = opset13.mvn(match[x], axes, True, smallest, "INSIDE_SQRT")  # noqa: FBT003
        scaled = opset13.multiply(normal, match[gamma])
        return opset13.add(scaled, match[beta]) if has_beta else scaled

    return pattern, write


def _op(kind: str, *inputs: Any) -> Any:
    return WrapType(f"opset13.{kind}", list(inputs))


def _constant(value: float | None = None) -> Any:
    """Return the pattern of a constant, of this value if one is given."""

    def fits(output: Output) -> bool:
        return value is None or np.allclose(output.get_node().get_vector(), value)

    return WrapType("opset13.Constant", fits)

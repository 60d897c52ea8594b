"""Layers that run in groups, as ALBERT's do: groups of a few layers, each group run many times."""

_MOST_STEPS = 1000


def order_layers(steps: int, groups: int, inner: int) -> tuple[int, ...]:
    """Return which layer runs at each step, as Transformers counts the groups.

    Args:
        steps: how often a group is run.
        groups: how many groups there are.
        inner: how many layers a group has.

    Raises:
        ValueError: they are too many.
    """
    if max(steps, groups) * inner > _MOST_STEPS:
        message = f"{steps} times {inner} layers are more than {_MOST_STEPS}"
        raise ValueError(message)
    first = [int(step / (steps / groups)) * inner for step in range(steps)]
    return tuple(start + layer for start in first for layer in range(inner))


def find_groups(order: tuple[int, ...], num_layers: int) -> tuple[int, int, int]:
    """Return the steps, the groups and the layers of a group that give an order.

    Raises:
        ValueError: none do.
    """
    for inner in range(1, num_layers + 1):
        if num_layers % inner or len(order) % inner:
            continue
        steps, groups = len(order) // inner, num_layers // inner
        if order_layers(steps, groups, inner) == order:
            return steps, groups, inner
    message = f"{num_layers} layers do not run in groups; give a layer_order of groups alone"
    raise ValueError(message)

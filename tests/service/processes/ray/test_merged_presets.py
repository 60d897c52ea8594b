"""How presets stand in a cluster."""

from service.processes.engine_process.frames import Described
from service.processes.ray.merged_presets import merge_presets, merge_states


def test_state_is_the_one_that_tells_most() -> None:
    """A preset is ready if it is so anywhere."""
    replicas = [
        {"a": "available", "b": "failed", "c": "loading"},
        {"a": "ready", "b": "available", "c": "downloading"},
    ]
    assert merge_states(replicas) == {"a": "ready", "b": "failed", "c": "loading"}


def test_presets_are_described_where_they_are_ready() -> None:
    """In the store's order; pinned, if they are so anywhere."""
    first = [_preset("a", "available", pinned=True), _preset("b", "ready", engine="one")]
    second = [_preset("a", "ready", engine="two"), _preset("b", "loading", pinned=True)]
    assert merge_presets([Described(first), Described(second)]) == Described(
        [
            _preset("a", "ready", engine="two", pinned=True),
            _preset("b", "ready", engine="one", pinned=True),
        ]
    )


def test_presets_of_replicas_that_are_alike_are_those_of_the_first() -> None:
    """Nothing is made up."""
    presets = [_preset("a", "available")]
    assert merge_presets([Described(presets), Described(presets)]) == Described(presets)


def _preset(
    name: str, state: str, *, engine: str | None = None, pinned: bool = False
) -> dict[str, object]:
    return {"name": name, "state": state, "engine": engine, "pinned": pinned}

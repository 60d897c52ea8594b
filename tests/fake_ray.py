"""A Ray of one process: nothing of it is Ray's but its names. What would travel is pickled.

tests/on_ray has a cluster.
"""

import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


class RayError(Exception):
    """Ray's own; `cause` is what a worker raised."""

    def __init__(self, message: str, cause: Exception | None = None) -> None:
        """Take both."""
        super().__init__(message)
        self.cause = cause


@dataclass
class FakeRay:
    """What is asked of Ray, and what it does wrong.

    Attributes:
        nodes: the cores of each.
        fault: what it raises instead of answering the third block.
        unreachable: what it raises instead of a cluster.
        joined: the addresses of the clusters it is in.
        options: how the blocks were mapped.
        spoil: what becomes of the blocks on their way back.
    """

    nodes: list[int] = field(default_factory=lambda: [2, 2, 2])
    unreachable: Exception | None = None
    fault: Exception | None = None
    spoil: Callable[[Iterator[Any]], Iterator[Any]] = iter
    joined: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    context: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(execution_options=SimpleNamespace())
    )

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be what is imported as Ray."""
        ray, data, block = (ModuleType(name) for name in ("ray", "ray.data", "ray.data.block"))
        vars(block).update(BlockMetadata=SimpleNamespace)
        vars(data).update(
            ActorPoolStrategy=lambda **sizes: sizes,
            block=block,
            Datasource=object,
            DataContext=SimpleNamespace(get_current=lambda: self.context),
            ReadTask=lambda read, _metadata: read,
            read_datasource=self._read,
        )
        vars(ray).update(
            data=data,
            exceptions=SimpleNamespace(RayError=RayError),
            get_runtime_context=lambda: SimpleNamespace(get_node_id=lambda: "here"),
            init=self._init,
            nodes=lambda: (
                [{"Alive": True, "Resources": {"CPU": cpus}} for cpus in self.nodes]
                + [{"Alive": False, "Resources": {"CPU": 64}}, {"Alive": True, "Resources": {}}]
            ),
            shutdown=self.joined.clear,
        )
        for module in (ray, data, block):
            monkeypatch.setitem(sys.modules, module.__name__, module)

    def break_at(self, block: int) -> None:
        """Raise what it was told to, if that is the third block."""
        if block == 3 and self.fault is not None:
            raise self.fault

    def _init(self, address: str, **_: object) -> None:
        if self.unreachable is not None:
            raise self.unreachable
        self.joined.append(address)

    def _read(self, source: Any, **options: Any) -> "_Dataset":
        self.options["read"] = options
        assert source.estimate_inmemory_data_size() is None
        (read,) = source.get_read_tasks(1, per_task_row_limit=None)
        return _Dataset(self, _carry(read))


@dataclass
class _Dataset:
    ray: FakeRay
    read: Callable[[], Iterator[Any]]
    answer: Callable[[Any], Any] = lambda row: row

    def map(self, worker: Any, *, fn_constructor_args: Any, **options: Any) -> "_Dataset":
        self.ray.options["map"] = options
        return _Dataset(self.ray, self.read, worker(*_carry(fn_constructor_args)))

    def iter_rows(self) -> Iterator[Any]:
        return self.ray.spoil(self._answer())

    def _answer(self) -> Iterator[Any]:
        try:
            for number, table in enumerate(self.read(), 1):
                self.ray.break_at(number)
                (row,) = table.to_pylist()
                yield self.answer(row)
        except RayError:
            raise
        except Exception as error:
            message = "a task failed"
            raise RayError(message, _carry(error)) from error


def _carry(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))  # noqa: S301  # it was made here

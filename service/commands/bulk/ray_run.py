"""A run on a Ray cluster: blocks go out, and their lines come back in order.

One process writes, the one that was started: what is in the output is there once, whoever
answered a block, and however often. So a run goes on as one without a cluster does, and either goes
on with what the other began. Reading is one task, on this machine: no worker needs the file.
"""

import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from service.commands.bulk.blocks import Source
from service.commands.bulk.output import Output
from service.commands.bulk.question import Question
from service.commands.bulk.ray_worker import RayWorker, read_blocks
from service.commands.sentences import CommandError

_KNOCK_S = 10.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where rows are answered.

    Attributes:
        address: as `ray.init` takes it.
        workers: how many models it loads; one a node if None.
    """

    address: str
    workers: int | None


def answer_on_ray(
    cluster: Cluster,
    source: Source,
    question: Question,
    output: Output,
    tell: Callable[[int], object],
) -> None:
    """Write a line for each row that is left, in order; tell how many at a time.

    Args:
        cluster: where they are answered.
        source: the rows.
        question: what is asked of each.
        output: where the lines go.
        tell: is told of the rows that are written.

    Raises:
        CommandError: the cluster cannot be used, or it could not go on; what was written is good.
    """
    with _join(cluster.address) as ray, _in_sentences(ray):
        for block in _stream(
            ray, source, question, *share_cores(_list_cores(ray), cluster.workers)
        ):
            if block["first"] != output.rows:
                message = f"Ray gave the rows after {block['first']}, not those after {output.rows}"
                raise AssertionError(message)
            lines = block["lines"].splitlines(keepends=True)
            output.write(lines, block["failed"].splitlines(keepends=True))
            tell(len(lines))


def share_cores(nodes: list[int], workers: int | None) -> tuple[int, int]:
    """Return how many workers there are, and the cores of each.

    Args:
        nodes: the cores of each node; none has none.
        workers: how many are asked for; one a node if left out.

    Raises:
        CommandError: there is no room for so many.
    """
    wanted = workers or len(nodes)
    for cores in range(max(nodes, default=0), 0, -1):
        if sum(node // cores for node in nodes) >= wanted:
            return wanted, cores
    message = (
        f"The cluster has {sum(nodes)} cores, and each worker takes one; ask for fewer with "
        "--ray-workers, or add a node."
    )
    raise CommandError(message)


def _list_cores(ray: Any) -> list[int]:
    """Return the cores of each node that has some: a head may have none."""
    cores = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    return [each for each in cores if each]


@contextmanager
def _join(address: str) -> Iterator[Any]:
    """Be a driver of a cluster for as long as the block runs."""
    if address.startswith("ray://"):
        message = (
            f"Ray Data does not run from outside a cluster, as {address} would have it; start the "
            "command on one of its machines, with --ray auto."
        )
        raise CommandError(message)
    try:
        import ray  # noqa: PLC0415  # an extra, which takes seconds
        import ray.data  # noqa: PLC0415
    except ImportError:
        message = "--ray needs Ray; install requirements/ray.txt as well."
        raise CommandError(message) from None
    # Nobody looks at the dashboard of a cluster that ends with the command; it takes half a minute.
    own = {"include_dashboard": False} if address == "local" else {}
    try:
        _knock(address)
        ray.init(address, log_to_driver=False, logging_level=logging.WARNING, **own)
    except Exception as error:  # noqa: BLE001  # some of Ray's are no more than that
        reason = str(error).splitlines()[0].rstrip(".")
        message = (
            f"There is no cluster at {address} ({reason}); start one with `ray start`, or give "
            "--ray local."
        )
        raise CommandError(message) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Fail at once where nobody listens: Ray would try for a quarter of an hour.

    Raises:
        OSError: nobody does.
    """
    host, separator, port = address.rpartition(":")
    if separator:
        socket.create_connection((host, int(port)), _KNOCK_S).close()


def _stream(
    ray: Any, source: Source, question: Question, workers: int, cores: int
) -> Iterable[dict[str, Any]]:
    """Return the answered blocks, in order, as they come."""
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    # The rows of Ray Data are our blocks: of two, it would make one, and answer both in one place.
    context.target_max_block_size = 1
    context.raise_original_map_exception = True
    context.enable_progress_bars = context.print_on_execution_start = False
    # It warns of bars that are left out, and prints what is raised here as well.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    here = ray.get_runtime_context().get_node_id()
    blocks = ray.data.read_datasource(
        _make_datasource(ray, replace(source, path=source.path.absolute())),
        num_cpus=0,
        label_selector={"ray.io/node-id": here},
        override_num_blocks=1,
    )
    answers = blocks.map(
        RayWorker,
        fn_constructor_args=(question.anywhere(),),
        # As many as there is room for: fewer once a node is gone.
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
        num_cpus=cores,
    )
    rows: Iterable[dict[str, Any]] = answers.iter_rows()
    return rows


def _make_datasource(ray: Any, source: Source) -> Any:
    from ray.data.block import BlockMetadata  # noqa: PLC0415

    class BlockSource(ray.data.Datasource):  # type: ignore[misc]
        """One task that reads a file from its start to its end, no faster than it is answered."""

        def estimate_inmemory_data_size(self) -> None:
            """Know nothing of it."""

        def get_read_tasks(self, *_: object, **__: object) -> list[Any]:
            """Return the task."""
            metadata = BlockMetadata(
                num_rows=None, size_bytes=None, input_files=None, exec_stats=None
            )
            return [ray.data.ReadTask(partial(read_blocks, source), metadata)]

    return BlockSource()


@contextmanager
def _in_sentences(ray: Any) -> Iterator[None]:
    """Make a sentence of what the cluster raises."""
    try:
        yield
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, CommandError):
            # Ray adds how often it has tried.
            raise CommandError(str(cause).splitlines()[0]) from None
        reason = str(error).strip().splitlines()[-1].rstrip(".")
        message = f"The cluster failed ({reason}); mend it, and the same command goes on."
        raise CommandError(message) from error

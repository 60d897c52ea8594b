"""A million rows through `fillmask run --ray` on three nodes, two workers of which are killed.

    python -m bench.bulk_on_ray [ROWS]

Each node has a core. A worker is killed at a third of the rows, and at two thirds another one with
its node, in whose place a new one comes. Then the same rows are answered without a cluster, and
every byte is held against that. The rows and their answers are those of bench.bulk_kills.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from filecmp import cmp
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from bench.bulk_kills import count_lines, run_until, verify, write_texts
from bench.shapes import TINY, make_presets

_ROOT = Path(__file__).parent.parent
_CACHE = Path(__file__).with_name(".cache")
_FILLMASK = Path(sys.executable).with_name("fillmask")
_NODES = 3
_CORES = 1
_NODE = {
    "object_store_memory": 200_000_000,
    # Nobody looks at these, and each takes seconds of a processor to start.
    "include_dashboard": False,
    "include_log_monitor": False,
    "no_monitor": True,
}
_ATTEMPTS = 5
_LOOK_S = 0.5
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # A node takes longer than Ray's 15 seconds on a machine that has one core for each.
    "RAY_agent_register_timeout_ms": "120000",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    # Workers would give way to all else on this machine.
    "RAY_worker_niceness": "0",
    "FILLMASK_MODEL_STORE_DIR": str(_CACHE / "presets"),
    "FILLMASK_CACHE_DIR": str(_CACHE / "converted"),
}


@contextmanager
def start_cluster() -> Iterator[Any]:
    """Run a cluster: a head without cores, where the command runs, and the nodes of the workers."""
    os.environ.update(_ENVIRONMENT)
    from ray.cluster_utils import Cluster  # noqa: PLC0415  # it reads the environment

    cluster = Cluster()
    try:
        for cores in (0, *[_CORES] * _NODES):
            add_node(cluster, cores)
        yield cluster
    finally:
        cluster.shutdown()


def add_node(cluster: Any, cores: int) -> None:
    """Add a node; on a busy machine, Ray gives up some that it starts."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            cluster.add_node(num_cpus=cores, **_NODE)
        except Exception:  # it is no more than that
            if attempt == _ATTEMPTS:
                raise
        else:
            return


def find_workers(cluster: Any) -> dict[int, Any]:
    """Return the node of each process that has a model: its raylet is their parent."""
    raylets = {node.all_processes["raylet"][0].process.pid: node for node in cluster.worker_nodes}
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text("utf-8").rpartition(")")[2].split()[1])
            title = (path / "cmdline").read_text("utf-8")
        except OSError:  # it has ended
            continue
        if parent in raylets and "RayWorker" in title:
            found[int(path.name)] = raylets[parent]
    return found


def kill(cluster: Any, *, with_node: bool) -> str:
    """Kill a worker, with its node or alone; return what was done."""
    workers = find_workers(cluster)
    worker, node = min(workers.items(), key=lambda item: item[0])
    os.kill(worker, signal.SIGKILL)
    if not with_node:
        return f"worker {worker} of {len(workers)} killed"
    cluster.remove_node(node, allow_graceful=False)
    add_node(cluster, _CORES)
    return f"worker {worker} of {len(workers)} killed with its node; another came"


def run_on_ray(cluster: Any, directory: Path, rows: int) -> float:
    """Run the command, killing workers at a third and at two thirds; return its seconds."""
    output = directory / "answers.jsonl"
    files = ["--input", "texts.txt", "--output", output.name, "--failed", "failed.jsonl"]
    command = [str(_FILLMASK), "run", "--preset", TINY.name, "--top-k", "1", *files]
    kills = [(rows // 3, False), (2 * rows // 3, True)]
    started = perf_counter()
    process = subprocess.Popen([*command, "--ray", cluster.address], cwd=directory)  # nosec B603
    while process.poll() is None:
        sleep(_LOOK_S)
        if kills and count_lines(output) >= kills[0][0]:
            _, with_node = kills.pop(0)
            told = kill(cluster, with_node=with_node)
            print(f"after {count_lines(output)} rows: {told}", flush=True)
    if process.returncode or kills:
        message = f"the run ended with {process.returncode}, {len(kills)} kills before its time"
        raise AssertionError(message)
    return perf_counter() - started


def main() -> None:
    """Run, kill, run without a cluster, and compare."""
    rows = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    make_presets(_CACHE / "presets", (TINY,))
    with tempfile.TemporaryDirectory() as name:
        on_ray, plain = Path(name, "ray"), Path(name, "plain")
        for directory in (on_ray, plain):
            directory.mkdir()
            write_texts(directory / "texts.txt", rows)
        with start_cluster() as cluster:
            seconds = run_on_ray(cluster, on_ray, rows)
        print(f"on Ray: {rows} rows in {seconds:.0f} s, {rows / seconds:.0f} rows/s", flush=True)
        failed = verify(on_ray, rows)
        left = sorted(path.name for path in on_ray.iterdir())
        print(f"{rows} lines, each once and in its place, {failed} failed; files: {left}")
        part = run_until(plain, float("inf"))
        print(f"without: {rows} rows in {part.seconds:.0f} s, {rows / part.seconds:.0f} rows/s")
        files = ("answers.jsonl", "failed.jsonl")
        same = all(cmp(on_ray / file, plain / file, shallow=False) for file in files)
        print(f"every byte the same: {same}")


if __name__ == "__main__":
    main()

"""A Ray cluster of several nodes on this machine, and the processes in it that may be killed."""

import os
import signal
import socket
import subprocess  # nosec B404  # of our own command
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_STORE_BYTES = 100_000_000
_PROC = Path("/proc")
_LOOK_S = 0.001
_PORTS = (
    "metrics_agent_port",
    "metrics_export_port",
    "runtime_env_agent_port",
    "dashboard_agent_listen_port",
)

ENGINE = "ray::ServeReplica:fillmask:engine"
INGRESS = "ray::ServeReplica:fillmask:ingress"
PROXY = "ray::ProxyActor"

_DRAIN_S = 100
"""For how long a pod waits after the command, as deploy/kubernetes/ray/service.yaml has it."""

_DRAIN_LOOK_S = 0.5
_DRAIN = (
    *(Path(sys.executable).with_name("ray"), "drain-node"),
    *("--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "The pod ends."),
    *("--deadline-remaining-seconds", str(_DRAIN_S)),
)

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # A node's idle workers would take longer to start than everything else.
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    # A node waits for an agent that imports much, which a busy machine lets wait too.
    "RAY_agent_register_timeout_ms": "120000",
    # Replicas import what a driver imports.
    "PYTHONPATH": str(_ROOT),
}


@dataclass(frozen=True, slots=True)
class Process:
    """A process, its parent, and what it calls itself."""

    pid: int
    parent: int
    title: str


class Nodes:
    """The nodes of a cluster: a head that runs no replica, and workers that do."""

    def __init__(self, cluster: Any) -> None:
        """Take over a cluster that has a head."""
        self._cluster = cluster
        self._workers: list[Any] = []

    def add(self, cpus: int) -> None:
        """Start a worker node that has so many cores, or says so."""
        self._workers.append(self._cluster.add_node(num_cpus=cpus, **_describe_node()))

    @property
    def workers(self) -> int:
        """How many worker nodes there are."""
        return len(self._workers)

    def find(self, title: str) -> list[int]:
        """Return the processes of such a title on worker nodes."""
        return [pid for worker in self._workers for pid in _find(worker, (title,))]

    def kill_process(self, title: str) -> None:
        """Kill a process of such a title without a word, and wait until it is gone."""
        kill_all(self.find(title)[:1])

    def kill_node(self) -> None:
        """Kill a worker node with everything on it, at once and without a word."""
        worker = self._workers.pop()
        raylet = _raylet(worker)
        kill_all([raylet, *(process.pid for process in find_descendants(raylet))])
        self._cluster.remove_node(worker, allow_graceful=False)

    def drain_node(self) -> None:
        """Have a worker node emptied, as a pod's `preStop` does, and end it then."""
        worker = self._workers.pop()
        where = ["--address", self._cluster.address, "--node-id", worker.node_id]
        subprocess.run([*_DRAIN, *where], check=True, capture_output=True)  # nosec B603
        until = time.monotonic() + _DRAIN_S
        while time.monotonic() < until and _find(worker, (ENGINE, INGRESS)):
            time.sleep(_DRAIN_LOOK_S)
        self._cluster.remove_node(worker, allow_graceful=True)


def kill_all(pids: list[int]) -> None:
    """Kill processes, and wait until the last of them is gone or nothing but a zombie."""
    for pid in pids:
        with suppress(ProcessLookupError):  # it may have ended with one before it
            os.kill(pid, signal.SIGKILL)
    while any(_is_running(pid) for pid in pids):
        time.sleep(_LOOK_S)


@contextmanager
def running_nodes(workers: int, cpus: int) -> Iterator[Nodes]:
    """Run a head that holds no replica, and so many worker nodes, until the block ends."""
    os.environ.update(ENVIRONMENT)
    # They take seconds, and read the environment.
    import ray  # noqa: PLC0415
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False, **_describe_node()},
    )
    try:
        nodes = Nodes(cluster)
        for _ in range(workers):
            nodes.add(cpus)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="warning")
        yield nodes
    finally:
        ray.shutdown()
        cluster.shutdown()


def _describe_node() -> dict[str, int]:
    """Return what every node has; one that is told its ports need not wait for its agents."""
    return {"object_store_memory": _STORE_BYTES, **{name: _find_port() for name in _PORTS}}


def _find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def find_descendants(root: int) -> list[Process]:
    """Return every process below one, parents before their children."""
    children: dict[int, list[Process]] = {}
    for process in _list_processes():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    parents = [root]
    while parents:
        below = sorted(children.pop(parents.pop(0), []), key=lambda process: process.pid)
        found += below
        parents += [process.pid for process in below]
    return found


def _list_processes() -> Iterator[Process]:
    for folder in _PROC.glob("[0-9]*"):
        # One may end while it is looked at.
        with suppress(OSError):
            title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            status = (folder / "stat").read_text("utf-8", errors="replace")
            # Its second field is a name in brackets, which may have any in it.
            parent = status.rsplit(")", 1)[1].split()[1]
            yield Process(int(folder.name), int(parent), title)


def _is_running(pid: int) -> bool:
    try:
        status = (_PROC / str(pid) / "stat").read_text("utf-8", errors="replace")
    except OSError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def _find(worker: Any, titles: tuple[str, ...]) -> list[int]:
    return [
        process.pid
        for process in find_descendants(_raylet(worker))
        if process.title.startswith(titles)
    ]


def _raylet(node: Any) -> int:
    [raylet] = node.all_processes["raylet"]
    return int(raylet.process.pid)

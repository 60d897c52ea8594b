"""A Ray cluster of several nodes on this machine, and the service on it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import ray
from ray import serve
from ray.cluster_utils import Cluster

from e2e.running_server import find_free_port

NODES = 3
_CPUS = 8
"""Of each node, as far as Ray knows: this machine may have fewer."""

_OBJECT_BYTES = 100_000_000
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Replicas would give way to all else on this machine.
    "RAY_worker_niceness": "0",
}
_ATTEMPTS = 3
_TESTS = Path(__file__).resolve().parent.parent


@contextmanager
def start_cluster(nodes: int = NODES) -> Iterator[Cluster]:
    """Run a cluster for the length of a block, and be connected to it."""
    os.environ.update(_ENVIRONMENT)
    cluster = _start_head()
    try:
        for _ in range(nodes - 1):
            cluster.add_node(**_describe_node())
        cluster.wait_for_nodes()
        paths = [str(_TESTS.parent), str(_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
        ray.init(
            address=cluster.address,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(paths)}},
        )
        try:
            yield cluster
        finally:
            serve.shutdown()
            ray.shutdown()
    finally:
        cluster.shutdown()


def _start_head() -> Cluster:
    # Ray gives up by itself where one process of the first node takes more than 15 s to start.
    for _ in range(_ATTEMPTS - 1):
        with suppress(Exception):
            return Cluster(initialize_head=True, head_node_args=_describe_head())
    return Cluster(initialize_head=True, head_node_args=_describe_head())


def _describe_head() -> dict[str, int]:
    return _describe_node() | {"include_dashboard": False}


def _describe_node() -> dict[str, int]:
    # A node waits but 15 s for those of its processes whose ports it does not know.
    ports = ("metrics_agent", "metrics_export", "runtime_env_agent", "dashboard_agent_listen")
    return {f"{name}_port": find_free_port() for name in ports} | {
        "num_cpus": _CPUS,
        "object_store_memory": _OBJECT_BYTES,
    }


def start_proxies() -> str:
    """Have Serve listen on a free port, and return where."""
    port = find_free_port()
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    return f"http://127.0.0.1:{port}"

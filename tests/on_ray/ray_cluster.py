"""A Ray cluster of several nodes on this machine, and the service on it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray import serve
from ray.cluster_utils import Cluster

from e2e.running_server import find_free_port

NODES = 3
_CPUS = 4
"""Of each node, as far as Ray knows: this machine may have fewer."""

_OBJECT_BYTES = 100_000_000
_TESTS = Path(__file__).resolve().parent.parent


@contextmanager
def start_cluster(nodes: int = NODES) -> Iterator[Cluster]:
    """Run a cluster for the length of a block, and be connected to it."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    node = {"num_cpus": _CPUS, "object_store_memory": _OBJECT_BYTES, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        for _ in range(nodes - 1):
            cluster.add_node(num_cpus=_CPUS, object_store_memory=_OBJECT_BYTES)
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


def start_proxies() -> str:
    """Have Serve listen on a free port, and return where."""
    port = find_free_port()
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    return f"http://127.0.0.1:{port}"

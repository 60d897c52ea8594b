"""`fillmask run --ray` on a cluster of three nodes, parts of which are killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from ray.cluster_utils import Cluster

from service.commands.bulk.blocks import BLOCK_ROWS

pytestmark = pytest.mark.ray

BLOCKS = 8
ROWS = BLOCKS * BLOCK_ROWS
FAILED = (ROWS + 6) // 7
_NODE = {
    "object_store_memory": 100_000_000,
    # Nobody looks at these, and each takes seconds of a processor to start.
    "include_dashboard": False,
    "include_log_monitor": False,
    "no_monitor": True,
}
_TESTS = Path(__file__).parents[1]
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    # On a busy machine, a node needs more than its 15 seconds, and starts no worker that is idle.
    "RAY_agent_register_timeout_ms": "120000",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    # Workers would give way to all else on this machine.
    "RAY_worker_niceness": "0",
    # Workers import the tests.
    "PYTHONPATH": f"{_TESTS}:{_TESTS.parent}",
}


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory that tells workers what to do."""
    return tmp_path_factory.mktemp("orders")


@pytest.fixture(scope="module")
def cluster(orders: Path) -> Iterator[Cluster]:
    """Run three nodes of one core each: the first is where the command runs, and has no worker."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setenv("BULK_ORDERS", str(orders))
        cluster = Cluster()
        try:
            add_node(cluster, 0)
            for _ in range(2):
                add_node(cluster)
            yield cluster
        finally:
            cluster.shutdown()


@pytest.fixture(autouse=True)
def _as_before(cluster: Cluster, orders: Path) -> Iterator[None]:
    """Have two nodes with a core, and no orders, again."""
    yield
    for path in orders.iterdir():
        path.unlink()
    while len(cluster.worker_nodes) < 2:
        add_node(cluster)


def add_node(cluster: Cluster, cores: int = 1) -> None:
    """Add a node; Ray gives one up that takes half a minute, as it may on a busy machine."""
    for attempt in range(5):
        try:
            cluster.add_node(num_cpus=cores, **_NODE)
        except Exception:  # it is no more than that
            if attempt == 4:
                raise
        else:
            return


def start(directory: Path, address: str | None, *arguments: str) -> "subprocess.Popen[str]":
    """Start the command."""
    at = ["--ray", address] if address else []
    return subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, str(_TESTS / "on_ray/fake_bulk.py"), *arguments, *at],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def name_files(form: str, output: str = "out") -> list[str]:
    """Return the options that name the files."""
    return ["--input", f"in.{form}", "--output", output, "--failed", f"{output}.failed"]


def finish(directory: Path, address: str | None, *arguments: str) -> str:
    """Run the command to its end; return what it says, without the log of Ray's core."""
    with start(directory, address, *arguments) as process:
        said, _ = process.communicate()
    # A time in brackets begins its lines: of workers that would not start again, for one.
    return "".join(line for line in said.splitlines(keepends=True) if not line.startswith("[20"))


def write_input(directory: Path, form: str = "txt") -> None:
    """Write rows, one in seven without a mask."""
    texts = [f"{'no' if n % 7 == 0 else '[MASK]'} cat {n}" for n in range(ROWS)]
    path = directory / f"in.{form}"
    if form == "parquet":
        parquet.write_table(pa.table({"text": texts}), path, row_group_size=700)
    else:
        rows = [json.dumps(text) if form == "jsonl" else text for text in texts]
        path.write_text("\n".join(["text", *rows] if form == "csv" else rows))


def assert_is_whole(directory: Path, form: str = "txt") -> None:
    """Hold output and failed rows against those of a run without Ray."""
    finish(directory, None, *name_files(form, "plain"))
    for name in ("out", "out.failed"):
        told = (directory / name).read_bytes()
        assert told == (directory / name.replace("out", "plain")).read_bytes() != b""
    assert (directory / "out").read_bytes().count(b"\n") == ROWS
    left = {path.name for path in directory.iterdir()}
    assert left == {f"in.{form}", "out", "out.failed", "plain", "plain.failed"}


def wait_for(path: Path, process: "subprocess.Popen[str]") -> int:
    """Return the process of a worker that is held."""
    while not path.exists():
        assert process.poll() is None, process.communicate()
        sleep(0.1)
    return int(path.read_text())


@pytest.mark.parametrize("form", ["txt", "jsonl", "csv", "parquet"])
def test_output_is_that_of_a_run_without_ray(cluster: Cluster, tmp_path: Path, form: str) -> None:
    """To the byte."""
    write_input(tmp_path, form)
    said = finish(tmp_path, cluster.address, *name_files(form))
    assert said.endswith(f"out: {ROWS} rows, {FAILED} of them failed.\n")
    assert_is_whole(tmp_path, form)


def test_worker_that_is_killed_costs_nothing(
    cluster: Cluster, orders: Path, tmp_path: Path
) -> None:
    """Nor does the next one: its blocks are answered by others."""
    write_input(tmp_path)
    held = [orders / f"held-{first * BLOCK_ROWS}" for first in (1, 5)]
    for path in held:
        path.with_name(path.name.replace("held", "hold")).touch()
    with start(tmp_path, cluster.address, *name_files("txt")) as process:
        for path in held:
            os.kill(wait_for(path, process), signal.SIGKILL)
        said, _ = process.communicate()
    assert said.endswith(f"out: {ROWS} rows, {FAILED} of them failed.\n")
    assert_is_whole(tmp_path)


def test_node_that_is_gone_costs_nothing(cluster: Cluster, orders: Path, tmp_path: Path) -> None:
    """Although no other comes, and the worker that is left had taken all the cores there are."""
    write_input(tmp_path)
    (orders / f"hold-{3 * BLOCK_ROWS}").touch()
    with start(tmp_path, cluster.address, *name_files("txt")) as process:
        worker = wait_for(orders / f"held-{3 * BLOCK_ROWS}", process)
        node = find_node(cluster, worker)
        # Its raylet would end it.
        os.kill(worker, signal.SIGKILL)
        cluster.remove_node(node, allow_graceful=False)
        said, _ = process.communicate()
    assert said.endswith(f"out: {ROWS} rows, {FAILED} of them failed.\n")
    assert_is_whole(tmp_path)


def find_node(cluster: Cluster, worker: int) -> Any:
    """Return the node of a worker: its raylet is the worker's parent."""
    raylet = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    for node in cluster.worker_nodes:
        if node.all_processes["raylet"][0].process.pid == raylet:
            return node
    raise LookupError(worker)


def test_run_that_is_killed_goes_on(cluster: Cluster, orders: Path, tmp_path: Path) -> None:
    """By the same command; what was written is kept."""
    write_input(tmp_path)
    (orders / f"hold-{4 * BLOCK_ROWS}").touch()
    with start(tmp_path, cluster.address, *name_files("txt")) as process:
        wait_for(orders / f"held-{4 * BLOCK_ROWS}", process)
        # Of what a worker has answered, the last block comes with the next one.
        while (tmp_path / "out").read_bytes().count(b"\n") < 2 * BLOCK_ROWS:
            assert process.poll() is None, process.communicate()
            sleep(0.1)
        process.kill()
    begun = (tmp_path / "out").read_bytes()
    said = finish(tmp_path, cluster.address, *name_files("txt"))
    assert said.endswith(f"out: {ROWS} rows, {FAILED} of them failed.\n")
    assert (tmp_path / "out").read_bytes().startswith(begun)
    assert_is_whole(tmp_path)


def test_run_that_is_interrupted_ends(cluster: Cluster, orders: Path, tmp_path: Path) -> None:
    """With nothing but the word of whoever interrupts, and goes on later."""
    write_input(tmp_path)
    (orders / f"hold-{2 * BLOCK_ROWS}").touch()
    with start(tmp_path, cluster.address, *name_files("txt")) as process:
        wait_for(orders / f"held-{2 * BLOCK_ROWS}", process)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in said
    finish(tmp_path, cluster.address, *name_files("txt"))
    assert_is_whole(tmp_path)


def test_faults_are_told_in_a_sentence(cluster: Cluster, orders: Path, tmp_path: Path) -> None:
    """Of the engine, which is elsewhere, and of the file."""
    write_input(tmp_path)
    (orders / "fail").touch()
    said = finish(tmp_path, cluster.address, *name_files("txt"))
    assert said == "Error: The engine failed on this batch; send the request again.\n"
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")
    said = finish(tmp_path, cluster.address, *name_files("csv", "other"))
    assert said == (
        f"Error: {tmp_path / 'in.csv'} has the columns a, b; name the one of the texts with "
        "--column.\n"
    )


def test_cluster_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With what Ray says of it."""
    write_input(tmp_path)
    said = finish(tmp_path, "127.0.0.1:1", *name_files("txt"))
    assert "Error: There is no cluster at 127.0.0.1:1 (" in said
    assert "Traceback" not in said

"""`fillmask run --ray`: the same lines, and every fault in a sentence."""

import itertools
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from fake_ray import FakeRay, RayError
from fakes import FakeEngine, FakeStore
from service.commands.bulk import blocks
from service.commands.bulk.blocks import Source
from service.commands.bulk.question import Question
from service.commands.bulk.ray_run import share_cores
from service.commands.bulk.ray_worker import RayWorker, read_blocks
from service.commands.sentences import CommandError
from service.settings import Settings

ROWS = 11
PLAIN = f"out.jsonl: {ROWS} rows, 1 of them failed.\n"


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    """Return the Ray of the command; its blocks have four rows."""
    ray = FakeRay()
    ray.install(monkeypatch)
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 4)
    return ray


def write_input(form: str) -> str:
    """Write rows, the seventh without a mask; return the file's name."""
    texts = [f"{'no' if n == 7 else '[MASK]'} cat {n}" for n in range(1, ROWS + 1)]
    name = f"in.{form}"
    if form == "parquet":
        parquet.write_table(pa.table({"text": texts}), name)
    else:
        rows = [json.dumps(text) if form == "jsonl" else text for text in texts]
        Path(name).write_text("\n".join(["text", *rows] if form == "csv" else rows))
    return name


def pool_of(workers: int) -> dict[str, int]:
    """Return how a pool is asked for; it may shrink where a node is gone."""
    return {"min_size": 1, "max_size": workers, "initial_size": workers}


@pytest.mark.parametrize("form", ["txt", "jsonl", "csv", "parquet"])
def test_lines_are_those_of_a_run_without_ray(invoke: Any, ray: FakeRay, form: str) -> None:
    """To the byte, those of failed rows too."""
    name = write_input(form)
    result = invoke(name, "--failed", "failed", "--ray", "auto")
    assert (result.output, result.exit_code) == (PLAIN, 0)
    assert invoke(name, "--failed", "failed.plain", output="plain").exit_code == 0
    for one, other in (("out.jsonl", "plain"), ("failed", "failed.plain")):
        assert Path(one).read_bytes() == Path(other).read_bytes() != b""
    assert ray.joined == []
    assert not list(Path().glob("*.run*"))


def test_blocks_keep_their_order_and_their_bounds(invoke: Any, ray: FakeRay) -> None:
    """Ray is asked for both: by itself it would mix them, and make one of many."""
    assert invoke(write_input("txt"), "--ray", "auto", "--ray-workers", "2").exit_code == 0
    assert ray.context.execution_options.preserve_order
    assert ray.context.target_max_block_size == 1
    assert ray.options["map"] == {"compute": pool_of(2), "num_cpus": 2}
    assert ray.options["read"]["label_selector"] == {"ray.io/node-id": "here"}


def test_every_node_with_cores_has_a_worker(invoke: Any, ray: FakeRay) -> None:
    """A head may have none."""
    assert invoke(write_input("txt"), "--ray", "auto").exit_code == 0
    assert ray.options["map"] == {"compute": pool_of(3), "num_cpus": 2}


@pytest.mark.parametrize("first", [[], ["--ray", "auto"]])
@pytest.mark.parametrize("second", [[], ["--ray", "auto"]])
def test_either_goes_on_with_what_the_other_began(
    invoke: Any, ray: FakeRay, store: FakeStore, first: list[str], second: list[str]
) -> None:
    """A run on a cluster is the same run."""
    name = write_input("txt")
    assert invoke(name, output="whole").exit_code == 0
    calls = itertools.count(1)
    fail_late = FakeEngine()
    answer = fail_late.run

    def run(*arguments: Any) -> Any:
        if next(calls) > 3:
            raise RuntimeError
        return answer(*arguments)

    fail_late.run = run  # type: ignore[method-assign]
    store.engines["tiny"] = fail_late
    result = invoke(name, *first, FILLMASK_MAX_BATCH_SIZE="2")
    assert "The engine failed on this batch" in result.output
    begun = Path("out.jsonl").read_bytes()
    assert 0 < begun.count(b"\n") < ROWS
    del store.engines["tiny"]
    assert invoke(name, *second).output == PLAIN
    assert Path("out.jsonl").read_bytes().startswith(begun)
    assert Path("out.jsonl").read_bytes() == Path("whole").read_bytes()
    assert ray.joined == []


def test_changed_input_is_refused(invoke: Any, ray: FakeRay) -> None:
    """Before a cluster is asked for anything."""
    name = write_input("txt")
    ray.fault = RayError("a node is gone")
    assert invoke(name, "--ray", "auto").exit_code == 1
    Path(name).write_text("[MASK]\n")
    ray.unreachable = AssertionError()
    assert "The input has changed" in invoke(name, "--ray", "auto").output


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (RayError("Traceback:\n  many lines\nthe node is gone."), "The cluster failed (the node "),
        (RayError("", CommandError("The engine failed.\nTried 1/1.")), "The engine failed.\n"),
    ],
)
def test_fault_of_the_cluster_is_told_in_a_sentence(
    invoke: Any, ray: FakeRay, fault: Exception, sentence: str
) -> None:
    """What was written is kept, and gone on with."""
    ray.fault = fault
    name = write_input("txt")
    result = invoke(name, "--ray", "auto")
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {sentence}")
    assert Path("out.jsonl").read_bytes().count(b"\n") == 8
    ray.fault = None
    assert invoke(name, "--ray", "auto").output == PLAIN


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 0, 1, 2], [0, 2]])
def test_block_that_is_not_the_next_one_is_never_written(
    invoke: Any, ray: FakeRay, order: list[int]
) -> None:
    """One that comes twice or too early, or is missing, would be for ever in the output."""

    def spoil(answered: Iterator[Any]) -> Iterator[Any]:
        whole = list(answered)
        return (whole[number] for number in order)

    ray.spoil = spoil
    name = write_input("txt")
    result = invoke(name, "--ray", "auto")
    assert isinstance(result.exception, AssertionError)
    ray.spoil = iter
    assert invoke(name, "--ray", "auto").output == PLAIN
    assert invoke(name, output="plain").exit_code == 0
    assert Path("out.jsonl").read_bytes() == Path("plain").read_bytes()


def test_interrupted_run_leaves_the_cluster(invoke: Any, ray: FakeRay) -> None:
    """And goes on later."""

    def interrupt(answered: Iterator[Any]) -> Iterator[Any]:
        yield next(answered)
        signal.raise_signal(signal.SIGINT)

    ray.spoil = interrupt
    name = write_input("txt")
    assert invoke(name, "--ray", "auto").exit_code == 130
    assert ray.joined == []
    ray.spoil = iter
    assert invoke(name, "--ray", "auto").output == PLAIN


def test_errors_of_the_file_are_those_of_a_run_without_ray(invoke: Any, ray: FakeRay) -> None:
    """They come from another process, and are told alike."""
    Path("in.csv").write_text("a,b\n1,2\n")
    result = invoke("in.csv", "--ray", "auto")
    assert "in.csv has the columns a, b; name the one of the texts with --column." in result.output
    assert ray.joined == []


@pytest.mark.parametrize("fault", [ConnectionError("none there."), Exception("none there\nbut")])
def test_cluster_that_is_not_there_is_told(invoke: Any, ray: FakeRay, fault: Exception) -> None:
    """Whatever Ray raises then."""
    ray.unreachable = fault
    result = invoke(write_input("txt"), "--ray", "auto")
    assert result.output == (
        "Error: There is no cluster at auto (none there); start one with `ray start`, or give "
        "--ray local.\n"
    )


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:head"])
def test_address_where_nobody_listens_is_told_at_once(
    invoke: Any, ray: FakeRay, address: str
) -> None:
    """Ray would try for a quarter of an hour."""
    ray.unreachable = AssertionError("Ray tries")
    result = invoke(write_input("txt"), "--ray", address)
    assert result.output.startswith(f"Error: There is no cluster at {address} (")
    assert "Ray tries" not in result.output


def test_address_where_a_cluster_listens_is_joined(invoke: Any, ray: FakeRay) -> None:
    """Whoever it is."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert invoke(write_input("txt"), "--ray", address).output == PLAIN
    assert ray.joined == []


def test_client_of_ray_is_refused(invoke: Any) -> None:
    """Ray Data cannot run through it."""
    result = invoke(write_input("txt"), "--ray", "ray://head:10001")
    assert "start the command on one of its machines, with --ray auto." in result.output


def test_without_ray_it_says_what_to_install(invoke: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    result = invoke(write_input("txt"), "--ray", "auto")
    assert result.output == "Error: --ray needs Ray; install requirements/ray.txt as well.\n"


@pytest.mark.parametrize(
    ("nodes", "workers", "shared"),
    [
        ([4, 4, 4], None, (3, 4)),
        ([16, 16, 2], None, (3, 8)),
        ([4, 4, 4], 6, (6, 2)),
        ([4, 4, 4], 5, (5, 2)),
        ([4, 4, 4], 1, (1, 4)),
        ([1], 1, (1, 1)),
    ],
)
def test_cores_are_shared(nodes: list[int], workers: int | None, shared: tuple[int, int]) -> None:
    """As many for each worker as leave room for all."""
    assert share_cores(nodes, workers) == shared


@pytest.mark.parametrize(("nodes", "workers"), [([4, 4], 9), ([], None)])
def test_more_workers_than_cores_are_refused(nodes: list[int], workers: int | None) -> None:
    """They would wait for ever."""
    with pytest.raises(CommandError, match="--ray-workers"):
        share_cores(nodes, workers)


def test_worker_loads_its_model_once(store: FakeStore, tmp_path: Path) -> None:
    """However many blocks it answers."""
    (tmp_path / "in.txt").write_text("[MASK]\nno\n" * 3)
    source = Source(tmp_path / "in.txt", "text", None, 100, 2)
    (row,) = [row for table in read_blocks(source) for row in table.to_pylist()]
    worker = RayWorker(Question("tiny", "text", 1, Settings()))
    first, again = worker(row), worker(row)
    assert first == again
    assert first["first"] == 2
    assert [line.get("line") for line in map(json.loads, first["lines"].splitlines())] == [
        *(None, 4, None, 6)
    ]
    assert [json.loads(line)["line"] for line in first["failed"].splitlines()] == [4, 6]
    assert store.loads == ["tiny"]


def test_fault_of_the_program_is_not_made_a_sentence(store: FakeStore) -> None:
    """Its traceback is needed."""
    worker = RayWorker(Question("tiny", "text", 1, Settings()))
    with pytest.raises(TypeError):
        worker({"first": None, "contents": [b""]})
    assert store.loads


def test_question_is_the_same_elsewhere() -> None:
    """A worker's directory is another one."""
    settings = Settings(model_store_dir=Path("here"), cache_dir=Path("there"))
    question = Question("tiny", "text", 1, settings)
    assert question.anywhere().settings.model_store_dir == Path("here").absolute()
    assert question.anywhere().settings.cache_dir == Path("there").absolute()

"""Several HTTP processes in front of one engine process, all of them real."""

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.running_server import PATIENCE_S, STOP_TIMEOUT_S, RunningServer, start_server

SENTENCE = "The capital of France is [MASK]."


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of two workers with the default settings."""
    env = {"FILLMASK_WORKERS": "2", "FILLMASK_OFFLINE": "1"}
    with start_server(env, tmp_path_factory.mktemp("workers")) as running:
        yield running


def test_answer_is_that_of_one_process(workers: RunningServer, server: RunningServer) -> None:
    """Both run the same model in the same way."""
    ours, theirs = post(workers).json(), post(server).json()
    assert ours["results"][0]["masks"][0]["predictions"][0]["token_str"] == "paris"  # noqa: S105
    assert ours == theirs


def test_score_of_a_text_is_that_of_one_process(
    workers: RunningServer, server: RunningServer
) -> None:
    """And the right sentence is the likelier one."""
    body = {"inputs": ["The dogs barks at night.", "The dogs bark at night."]}
    ours, theirs = (
        httpx.post(f"{each.url}/score", json=body, timeout=PATIENCE_S, trust_env=False).json()[
            "results"
        ]
        for each in (workers, server)
    )
    assert [result["rank"] for result in ours] == [2, 1]
    assert ours == theirs


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/embed-sparse", {"inputs": ["A river runs through it.", "Snow"], "top_k": 20}),
        ("/fill-mask", {"inputs": {"text": "Is it cold?", "text_pair": "Yes, it is [MASK]."}}),
    ],
)
def test_other_questions_are_answered_as_by_one_process(
    workers: RunningServer, server: RunningServer, path: str, body: dict[str, Any]
) -> None:
    """Sparse vectors and pairs of texts."""
    ours, theirs = (
        httpx.post(f"{each.url}{path}", json=body, timeout=PATIENCE_S, trust_env=False)
        for each in (workers, server)
    )
    assert ours.status_code == 200
    assert ours.json() == theirs.json()


def test_presets_are_those_of_the_engine(workers: RunningServer) -> None:
    """The one that is loaded is loaded for all."""
    presets = get(workers, "/presets").json()["presets"]
    assert {p["name"]: p["state"] for p in presets}["minilm_l6_en_uncased"] == "ready"


def test_unknown_preset_is_not_found(workers: RunningServer) -> None:
    """Whichever worker looks."""
    answers = [post(workers, preset="no-such-preset") for _ in range(4)]
    assert {(a.status_code, a.json()["code"]) for a in answers} == {(404, "preset_not_found")}


def test_metrics_are_those_of_all_workers(workers: RunningServer) -> None:
    """Requests over many connections, so that both workers get some, are all shown by each.

    They are for a route that no other test here asks: what was asked before may yet be told.
    """
    url = f"{workers.url}/models/minilm_l6_en_uncased"
    for _ in range(30):
        answer = httpx.post(url, json={"inputs": SENTENCE}, timeout=PATIENCE_S, trust_env=False)
        assert answer.status_code == 200
    wait_until(lambda: count_responses(workers) == 30)
    assert {count_responses(workers) for _ in range(10)} == {30}


def test_only_the_engine_process_maps_a_runtime(workers: RunningServer) -> None:
    """There is one copy of the runtime and of each model, however many workers there are."""
    post(workers)
    runtimes = [
        bool(re.search("openvino|tensorflow", Path(f"/proc/{pid}/maps").read_text("utf-8")))
        for pid in list_children(workers)
    ]
    assert sorted(runtimes) == [False, False, True]


def test_engine_process_that_was_killed_is_replaced(workers: RunningServer) -> None:
    """Who waited for it is told so, and the service answers again."""

    async def ask_and_kill() -> httpx.Response:
        async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False) as client:
            url = f"{workers.url}/fill-mask"
            long = {"inputs": [f"A [MASK] {'very ' * 400}long text."] * 256}
            request = asyncio.create_task(client.post(url, json=long))
            while "fill_mask_queue_size 0.0" in (await client.get(f"{workers.url}/metrics")).text:
                assert not request.done()
            os.kill(find_engine(workers), signal.SIGKILL)
            return await request

    answer = asyncio.run(ask_and_kill())
    assert (answer.status_code, answer.json()["code"]) == (502, "engine_lost")
    assert post(workers).status_code == 200
    wait_until(lambda: get(workers, "/readyz").status_code == 200)


def test_worker_that_was_killed_is_replaced(workers: RunningServer) -> None:
    """The other one answers meanwhile."""
    before = set(list_children(workers))
    [killed, _] = sorted(before - {find_engine(workers)})
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(set(list_children(workers)) - {killed}) == len(before))
    assert post(workers).status_code == 200


def test_sigterm_loses_no_accepted_request_and_leaves_no_process(tmp_path: Path) -> None:
    """All that were sent are answered, though every process gets the signal at once."""
    with start_server({"FILLMASK_WORKERS": "2"}, tmp_path) as server:
        processes = list_children(server)
        body = {"inputs": [f"A [MASK] {'very ' * 40}long text."] * 16}

        async def ask_and_stop() -> list[httpx.Response]:
            limits = httpx.Limits(max_connections=None)
            async with httpx.AsyncClient(
                timeout=PATIENCE_S, trust_env=False, limits=limits
            ) as client:
                url = f"{server.url}/fill-mask"
                asked = [asyncio.create_task(client.post(url, json=body)) for _ in range(8)]
                while count_tokenized((await client.get(f"{server.url}/metrics")).text) < 8:
                    assert not all(request.done() for request in asked)
                for pid in (*processes, server.process.pid):
                    os.kill(pid, signal.SIGTERM)
                return await asyncio.gather(*asked)

        answers = asyncio.run(ask_and_stop())
        assert [answer.status_code for answer in answers] == [200] * 8
        assert server.process.wait(STOP_TIMEOUT_S) == 0
        wait_until(lambda: not any(map(is_running, processes)))


def test_no_process_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    """It could not tell anybody to end."""
    with start_server({"FILLMASK_WORKERS": "2"}, tmp_path) as server:
        processes = list_children(server)
        server.process.kill()
        server.process.wait()
        wait_until(lambda: not any(map(is_running, processes)))


def post(server: RunningServer, **body: Any) -> httpx.Response:
    """Send a native request over a connection of its own."""
    body = {"inputs": SENTENCE} | body
    url = f"{server.url}/fill-mask"
    return httpx.post(url, json=body, timeout=PATIENCE_S, trust_env=False)


def get(server: RunningServer, route: str) -> httpx.Response:
    """Ask a route over a connection of its own."""
    return httpx.get(f"{server.url}{route}", timeout=PATIENCE_S, trust_env=False)


def count_responses(server: RunningServer) -> float:
    """Return how many answers a route of one test gave, as whichever worker is asked shows it."""
    found = re.search(
        r'^fill_mask_http_responses_total\{route="/models/\{preset\}",status="200"\} (\S+)$',
        get(server, "/metrics").text,
        re.MULTILINE,
    )
    return float(found[1]) if found else 0.0


def count_tokenized(metrics: str) -> float:
    """Return how many requests were read and tokenized."""
    found = re.search(
        r"^fill_mask_tokenization_duration_seconds_count (\S+)$", metrics, re.MULTILINE
    )
    assert found
    return float(found[1])


def list_children(server: RunningServer) -> list[int]:
    """Return the processes that the parent started, but for Python's own tracker of resources."""
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text("utf-8").split()
    return [int(pid) for pid in children if "spawn_main" in read_command(pid)]


def read_command(pid: str) -> str:
    """Return the command line of a process; one that has ended meanwhile has none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def find_engine(server: RunningServer) -> int:
    """Return the engine process that was started last, as the log says."""
    events = read_events(server)
    return [int(event["pid"]) for event in events if event["event"] == "engine_started"][-1]


def read_events(server: RunningServer) -> list[dict[str, Any]]:
    """Return every line of the log, each of which must be an object."""
    lines = server.output.read_text("utf-8").splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n") and server.process.returncode is None:
        lines.pop()  # it is being written
    return list(map(json.loads, lines))


def is_running(pid: int) -> bool:
    """Say whether a process runs; one that nobody has waited for does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does, which has no event here."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)

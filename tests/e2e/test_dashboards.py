"""Every query of the dashboards and the alerts has an answer, after traffic of every kind."""

import asyncio
import json
import math
import re
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from dashboards import Query, fill_in, read_dashboards, read_queries
from e2e.running_prometheus import DEPLOYED, ask, start_prometheus
from e2e.running_server import RunningServer, start_server

pytestmark = pytest.mark.prometheus

PATIENCE_S = 300
VARIABLES = {"__rate_interval": "1m", "job": "fillmask", "instance": ".*"}
ONE, TWO = "The capital of France is [MASK].", "The [MASK] of [MASK] is Paris."
LONG = "A river runs through it. " * 150 + ONE
LINES = "".join(json.dumps({"inputs": ONE, "top_k": n}) + "\n" for n in range(1, 20))
GOOD: list[tuple[str, dict[str, Any]]] = [
    ("/fill-mask", {"inputs": [ONE, "[MASK]", f"{ONE} {TWO}", "It is [MASK]."]}),
    ("/fill-mask", {"inputs": ONE, "targets": ["paris", "antidisestablishment"]}),
    ("/fill-mask", {"inputs": LONG, "overflow": "window"}),
    ("/fill-mask", {"inputs": TWO, "decode": "joint"}),
    ("/fill-mask", {"inputs": ONE, "preset": "tiny_cased"}),
    ("/score", {"inputs": ["The dog barks.", "The dog bark."]}),
    ("/embed-sparse", {"inputs": "A river runs through it."}),
    ("/tokenize", {"inputs": "A river runs through it."}),
]
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("/fill-mask", {"inputs": "no mask"}, "mask_not_found"),
    ("/fill-mask", {"input": ONE}, "invalid_request"),
    ("/fill-mask", {"inputs": ONE, "preset": "none"}, "preset_not_found"),
    ("/fill-mask", {"inputs": ONE, "preset": "broken"}, "model_load_failed"),
    ("/nowhere", {}, "invalid_request"),
]
CROWD = 24


@pytest.fixture(scope="module")
def busy(
    tiny_preset_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server with room for one model and a few texts, and a preset that cannot be loaded."""
    directory = tmp_path_factory.mktemp("busy")
    models = directory / "models"
    shutil.copytree(tiny_preset_dir, models / "tiny_cased")
    shutil.copytree(tiny_preset_dir, models / "broken")
    (models / "broken" / "model.safetensors").write_bytes(b"no tensors")
    env = {
        "FILLMASK_MODEL_STORE_DIR": str(models),
        "FILLMASK_OFFLINE": "1",
        "FILLMASK_MAX_LOADED_PRESETS": "1",
        "FILLMASK_MAX_QUEUE_SIZE": "16",
        # Less than a conversion takes, and there is none yet: some requests run into it.
        "FILLMASK_REQUEST_TIMEOUT_S": "2",
        "FILLMASK_CACHE_DIR": str(directory / "converted"),
    }
    with start_server(env, directory) as server:
        yield server


def test_every_query_has_an_answer(busy: RunningServer, tmp_path: Path) -> None:
    """Each moves while the server is busy, with the labels that its legend shows."""
    with start_prometheus(busy.url.removeprefix("http://"), tmp_path) as prometheus:
        waiting = read_queries()
        deadline = time.monotonic() + PATIENCE_S
        while waiting and time.monotonic() < deadline:
            asyncio.run(stir(busy.url))
            waiting = [query for query in waiting if not has_moved(prometheus, query)]
        assert [query.place for query in waiting] == []
        check_variables(prometheus)
        check_alerts(prometheus)


def has_moved(prometheus: str, query: Query) -> bool:
    """Say whether a query gives a number above zero, and nothing without its labels."""
    series = ask(prometheus, "query", query=query.ask(VARIABLES))["result"]
    for each in series:
        assert query.labels <= each["metric"].keys(), query.place
    values = [float(each["value"][1]) for each in series]
    return any(math.isfinite(value) and value > 0 for value in values)


def check_variables(prometheus: str) -> None:
    """Every variable of every dashboard has a value to choose."""
    for dashboard in read_dashboards().values():
        chosen: dict[str, str] = {}
        for variable in dashboard["templating"]["list"]:
            asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"])
            assert asked
            match = {"match[]": fill_in(asked[1], chosen)}
            found = ask(prometheus, f"label/{asked[2]}/values", **match)
            assert len(found) == 1, variable["name"]
            chosen[variable["name"]] = found[0]
        assert chosen["job"] == VARIABLES["job"]


def check_alerts(prometheus: str) -> None:
    """Every alert compares numbers that are there; the one on loads that failed fires."""
    groups = yaml.safe_load((DEPLOYED / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in (rule for group in groups for rule in group["rules"]):
        # With `bool` a comparison gives 0 or 1 in place of nothing.
        compared, count = re.subn(r" (==|>|<) ", r" \1 bool ", rule["expr"])
        assert count
        series = ask(prometheus, "query", query=compared)["result"]
        assert series, rule["alert"]
        assert all(float(each["value"][1]) in {0, 1} for each in series), rule["alert"]
    (group,) = ask(prometheus, "rules")["groups"]
    assert {rule["health"] for rule in group["rules"]} == {"ok"}
    firing = {rule["name"] for rule in group["rules"] if rule["state"] == "firing"}
    assert "FillmaskLoadFailures" in firing


async def stir(url: str) -> None:
    """Send good requests of every task, bad ones, lines, what is no request, and a crowd."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
        for path, body in GOOD:
            answer = await client.post(path, json=body)
            assert answer.status_code in {200, 504}, answer.text
        for path, body, code in BAD:
            answer = await client.post(path, json=body)
            assert answer.json()["code"] in {code, "timeout"}, answer.text
        lines = {"content-type": "application/x-ndjson"}
        answer = await client.post("/fill-mask", content=LINES, headers=lines)
        assert len(answer.text.splitlines()) == len(LINES.splitlines())
        crowd = [client.post("/fill-mask", json={"inputs": [ONE] * 8}) for _ in range(CROWD)]
        assert {answer.status_code for answer in await asyncio.gather(*crowd)} <= {200, 429, 504}
    await asyncio.to_thread(send_no_http, url)


def send_no_http(url: str) -> None:
    """Send what is refused before it is a request."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"no HTTP\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 400 ")

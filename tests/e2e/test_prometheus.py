"""What Prometheus itself makes of the metrics and of its configuration."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.running_prometheus import (
    DEADLINE_S,
    DEPLOYED,
    ask,
    run,
    start_prometheus,
    write_config,
)
from e2e.running_server import RunningServer, start_server

pytestmark = pytest.mark.prometheus

_REQUESTS = 3
_KEY = "a-key-for-prometheus"


def test_metrics_are_clean_to_promtool(server: RunningServer) -> None:
    """Promtool has no complaint about names, types and help, errors counted too."""
    send_requests(server)
    send_requests(server, preset="no-such-preset")
    metrics = httpx.get(f"{server.url}/metrics", trust_env=False).content
    assert b'fill_mask_requests_total{outcome="ok",preset="minilm_l6_en_uncased"}' in metrics
    checked = run("promtool", "check", "metrics", stdin=metrics)
    assert (checked.returncode, checked.stdout) == (0, b""), checked.stdout.decode()


def test_shipped_configuration_is_valid(tmp_path: Path) -> None:
    """Prometheus would start with the configuration in deploy/."""
    config = write_config(tmp_path, "fillmask:8000", _KEY)
    checked = run("promtool", "check", "config", str(config))
    assert checked.returncode == 0, checked.stdout.decode()


def test_alert_rules_are_clean_to_promtool() -> None:
    """Promtool reads every rule, and finds nothing to complain about."""
    checked = run("promtool", "check", "rules", str(DEPLOYED / "alerts.yml"))
    assert checked.returncode == 0, checked.stdout.decode()


def test_alerts_fire_when_they_must_and_only_then() -> None:
    """Promtool plays the series of alerts_test.yml through the rules."""
    tested = run("promtool", "test", "rules", str(DEPLOYED / "alerts_test.yml"))
    assert tested.returncode == 0, tested.stdout.decode()


def test_prometheus_scrapes_the_server(server: RunningServer, tmp_path: Path) -> None:
    """A real Prometheus finds the server up and every request that was sent."""
    before = count_requests(server)
    send_requests(server)
    with start_prometheus(server.url.removeprefix("http://"), tmp_path) as prometheus:
        poll(prometheus, 'up{job="fillmask"}', at_least=1)
        poll(prometheus, "sum(fill_mask_requests_total)", at_least=before + _REQUESTS)
        poll(prometheus, "sum(fill_mask_request_duration_seconds_bucket)", at_least=_REQUESTS)


def test_prometheus_shows_a_key_where_probes_are_closed(
    tiny_preset_dir: Path, tmp_path: Path
) -> None:
    """With the key of a caller the server is up; with another one it is not seen."""
    env = {
        "FILLMASK_MODEL_STORE_DIR": str(tiny_preset_dir.parent),
        "FILLMASK_API_KEYS": _KEY,
        "FILLMASK_OPEN_PROBES": "false",
    }
    with start_server(env, tmp_path) as server:
        target = server.url.removeprefix("http://")
        with start_prometheus(target, tmp_path, key=_KEY) as prometheus:
            poll(prometheus, 'up{job="fillmask"}', at_least=1)
        with start_prometheus(target, tmp_path, key="none") as prometheus:
            poll(prometheus, '1 - up{job="fillmask"}', at_least=1)


def send_requests(server: RunningServer, preset: str | None = None) -> None:
    """Send as many requests as the tests count on."""
    body = {"inputs": "The capital of France is [MASK].", "preset": preset}
    with httpx.Client(base_url=server.url, trust_env=False, timeout=DEADLINE_S) as client:
        for _ in range(_REQUESTS):
            response = client.post("/fill-mask", json=body)
            assert response.status_code == (404 if preset else 200), response.text


def count_requests(server: RunningServer) -> float:
    """Return how many requests the server has counted so far."""
    lines = httpx.get(f"{server.url}/metrics", trust_env=False).text.splitlines()
    return sum(float(x.split()[-1]) for x in lines if x.startswith("fill_mask_requests_total{"))


def poll(prometheus: str, query: str, *, at_least: float) -> None:
    """Ask Prometheus until the one value of a query is large enough, or too much time is gone."""
    deadline = time.monotonic() + DEADLINE_S
    result: Any = None
    while time.monotonic() < deadline:
        try:
            result = ask(prometheus, "query", query=query)["result"]
        except httpx.HTTPError as error:  # Not listening yet, or 503 while it starts.
            result = error
        else:
            if result and float(result[0]["value"][1]) >= at_least:
                return
        time.sleep(0.2)
    pytest.fail(f"{query} was not {at_least} or more within {DEADLINE_S} s: {result}")

"""What Prometheus itself makes of the metrics and of its configuration."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from e2e.running_server import RunningServer, find_free_port, start_server, stop

pytestmark = pytest.mark.prometheus

_ROOT = Path(__file__).parents[2]
_DEPLOYED = _ROOT / "deploy" / "prometheus"
_DEADLINE_S = 60
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
    checked = run("promtool", "check", "rules", str(_DEPLOYED / "alerts.yml"))
    assert checked.returncode == 0, checked.stdout.decode()


def test_alerts_fire_when_they_must_and_only_then() -> None:
    """Promtool plays the series of alerts_test.yml through the rules."""
    tested = run("promtool", "test", "rules", str(_DEPLOYED / "alerts_test.yml"))
    assert tested.returncode == 0, tested.stdout.decode()


def test_dashboard_speaks_promql(tmp_path: Path) -> None:
    """Every expression of the dashboard, its variables filled in, is one that Prometheus reads."""
    path = _ROOT / "deploy" / "grafana" / "dashboards" / "fillmask.json"
    panels = json.loads(path.read_text("utf-8"))["panels"]
    expressions = [
        target["expr"].replace("$__rate_interval", "1m").replace("$job", "fillmask")
        for panel in panels
        for target in panel["targets"]
    ]
    rules = [{"record": f"r{n}", "expr": expression} for n, expression in enumerate(expressions)]
    written = tmp_path / "rules.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = run("promtool", "check", "rules", str(written))
    assert checked.returncode == 0, checked.stdout.decode()


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
    with httpx.Client(base_url=server.url, trust_env=False, timeout=_DEADLINE_S) as client:
        for _ in range(_REQUESTS):
            response = client.post("/fill-mask", json=body)
            assert response.status_code == (404 if preset else 200), response.text


def count_requests(server: RunningServer) -> float:
    """Return how many requests the server has counted so far."""
    lines = httpx.get(f"{server.url}/metrics", trust_env=False).text.splitlines()
    return sum(float(x.split()[-1]) for x in lines if x.startswith("fill_mask_requests_total{"))


def write_config(tmp_path: Path, target: str, key: str) -> Path:
    """Write what is in deploy/ with another target, a key in a file, and one second of patience."""
    (tmp_path / "key").write_text(key)
    config = yaml.safe_load((_DEPLOYED / "prometheus.yml").read_text("utf-8"))
    config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
    config["rule_files"] = [str(_DEPLOYED / path) for path in config["rule_files"]]
    (job,) = config["scrape_configs"]
    job["static_configs"] = [{"targets": [target]}]
    job["authorization"]["credentials_file"] = str(tmp_path / "key")
    written = tmp_path / "prometheus.yml"
    written.write_text(yaml.safe_dump(config))
    return written


@contextmanager
def start_prometheus(target: str, tmp_path: Path, key: str = "none") -> Iterator[str]:
    """Run Prometheus as in deploy/, scraping one target every second, and yield its URL."""
    config = write_config(tmp_path, target, key)
    address = f"127.0.0.1:{find_free_port()}"
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # Debian's command
            [
                find_command("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={tmp_path / f'data-{key}'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield f"http://{address}"
    finally:
        stop(process)


def poll(prometheus: str, query: str, *, at_least: float) -> None:
    """Ask Prometheus until the one value of a query is large enough, or too much time is gone."""
    deadline = time.monotonic() + _DEADLINE_S
    answer: Any = None
    while time.monotonic() < deadline:
        try:
            answer = ask(prometheus, query)
        except httpx.HTTPError as error:  # Not listening yet, or 503 while it starts.
            answer = error
        else:
            result = answer.get("data", {}).get("result", [])
            if result and float(result[0]["value"][1]) >= at_least:
                return
        time.sleep(0.2)
    pytest.fail(f"{query} was not {at_least} or more within {_DEADLINE_S} s: {answer}")


def ask(prometheus: str, query: str) -> Any:
    """Return Prometheus' answer to an instant query."""
    response = httpx.get(f"{prometheus}/api/v1/query", params={"query": query}, trust_env=False)
    return response.raise_for_status().json()


def run(command: str, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end; its two outputs come as one."""
    return subprocess.run(  # noqa: S603  # Debian's command
        [find_command(command), *arguments],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_DEADLINE_S,
        check=False,
    )


def find_command(name: str) -> str:
    """Return the path of a command of Debian's package `prometheus`."""
    path = shutil.which(name)
    assert path, f"{name} is not installed; make test-prometheus installs it"
    return path

"""The files to deploy with fit each other, and the source keeps to its shape."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.documents import ROOT, quoted, read, read_tables, run_tool
from dockerfile import Stage, read_stages
from model_store.errors import ModelLoadError, PresetUnavailableError
from service.errors.table import INTERNAL, TABLE
from service.settings import Settings
from service.telemetry.metrics import Metrics

LOAD_ERRORS = (ModelLoadError, PresetUnavailableError)
PACKAGES = ("service", "model_store", "fillmask")
MAX_LINES = 300
NO_NOUNS = {"utils", "helpers", "common", "manager", "core", "base"}
DEPLOYED = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "docker-compose.yml", *(ROOT / "deploy").rglob("*"))
    if path.suffix in {".yml", ".yaml", ".json"}
)
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", DEPLOYED)
def test_file_parses(path: str) -> None:
    """Every YAML and JSON file to deploy with holds an object."""
    load = json.loads if path.endswith(".json") else yaml.safe_load
    assert isinstance(load(read(path)), dict)


def test_dockerfile_is_clean_to_hadolint() -> None:
    """Not even a matter of style is left, and no rule is ignored."""
    linted = run_tool("hadolint", "--no-color", "Dockerfile")
    assert (linted.returncode, linted.stdout) == (0, ""), linted.stdout
    assert "hadolint" not in read("Dockerfile")


def test_compose_file_is_of_the_specification() -> None:
    """The JSON schema of the Compose specification has every key, and each value its type."""
    checked = run_tool(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"
    )
    assert checked.returncode == 0, checked.stdout


def test_alerts_ask_for_metrics_that_exist() -> None:
    """Every metric in the expression of an alert is a series of the server."""
    metrics = Metrics(outcome=lambda _: "ok", queue_size=lambda: 0, queue_age=lambda: 0)
    series = {name for names in metrics._registry._collector_to_names.values() for name in names}
    expressions = [alert["expr"] for alert in alerts()]
    asked = {name for expr in expressions for name in re.findall(r"fill_mask_\w+", expr)}
    assert asked
    assert asked <= series


def test_alert_on_errors_knows_every_code_of_the_server() -> None:
    """The outcomes that count are the codes whose status is 5xx, but for those of failed loads.

    Any caller can name a preset that does not load.
    """
    (expression,) = [alert["expr"] for alert in alerts() if alert["alert"] == "FillmaskErrors"]
    (outcomes,) = re.findall(r'outcome=~"([^"]+)"', expression)
    codes = {code for status, code in (*TABLE.values(), INTERNAL) if status >= 500}
    codes -= {code for error, (_, code) in TABLE.items() if issubclass(error, LOAD_ERRORS)}
    assert outcomes.split("|") == sorted(codes)


def test_every_alert_says_what_to_do_and_is_tested() -> None:
    """Each has its row in docs/operations.md, and tests in which it fires and is silent."""
    names = [alert["alert"] for alert in alerts()]
    rows = read_tables("docs/operations.md", "alert")
    assert [quoted(row[0])[0] for row in rows] == names
    tests = yaml.safe_load(read("deploy/prometheus/alerts_test.yml"))["tests"]
    cases = {
        (case["alertname"], bool(case["exp_alerts"]))
        for test in tests
        for case in test["alert_rule_test"]
    }
    assert cases == {(name, fires) for name in names for fires in (True, False)}


def test_prometheus_loads_the_alerts_where_compose_puts_them() -> None:
    """The rules lie beside the configuration, and both are mounted."""
    config = yaml.safe_load(read("deploy/prometheus/prometheus.yml"))
    assert config["rule_files"] == ["alerts.yml"]
    volumes = compose()["services"]["prometheus"]["volumes"]
    assert "./deploy/prometheus:/etc/prometheus:ro" in volumes


def test_scrape_target_is_the_service() -> None:
    """Prometheus asks the host and port under which Compose runs the service."""
    (job,) = yaml.safe_load(read("deploy/prometheus/prometheus.yml"))["scrape_configs"]
    ((target,),) = [static["targets"] for static in job["static_configs"]]
    host, port = target.split(":")
    assert job.get("metrics_path", "/metrics") == "/metrics"
    assert host in compose()["services"]
    assert compose()["services"][host]["ports"][0].endswith(f":{port}")
    assert port == image().environment["FILLMASK_PORT"] == image().one("EXPOSE")


def test_image_and_compose_files_exist() -> None:
    """Whatever the image copies and Compose mounts from here is here, and not ignored."""
    copied = {
        source
        for stage in read_stages()
        for line in stage.all("COPY")
        if not line.startswith("--")
        for source in line.split()[:-1]
    }
    kept = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    assert copied == kept
    mounted = {
        volume.split(":")[0]
        for service in compose()["services"].values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    }
    assert mounted
    assert [path for path in copied | mounted if not (ROOT / path).exists()] == []


def test_what_grows_has_a_volume() -> None:
    """Presets, conversions and what the hubs' libraries keep: in the image, and in Compose."""
    volumes, environment = image().volumes, image().environment
    grows = {"FILLMASK_CACHE_DIR", "FILLMASK_MODEL_STORE_DIR", "HF_HOME", "KAGGLEHUB_CACHE"}
    for variable in grows:
        assert any(Path(environment[variable]).is_relative_to(volume) for volume in volumes)
    mounted = [volume.split(":") for volume in compose()["services"]["fillmask"]["volumes"]]
    assert sorted(target for _, target, *_ in mounted) == sorted(volumes)
    assert {source for source, *_ in mounted} <= set(compose()["volumes"])
    assert all(f"`{volume}`" in read("docs/operations.md") for volume in volumes)


def test_whoever_ends_the_server_waits_long_enough() -> None:
    """Compose, and every `docker run` of the documents, kill later than the server ends itself."""
    longest = Settings.model_fields["shutdown_timeout_s"].default
    (grace,) = re.findall(r"^(\d+)s$", compose()["services"]["fillmask"]["stop_grace_period"])
    runs = [
        line
        for path in ("README.md", "docs/operations.md")
        for line in re.findall(r"^docker run .+$", read(path), re.MULTILINE)
    ]
    assert runs
    for line in runs:
        assert re.findall(r"--stop-timeout (\d+)", line) == [grace], line
    assert int(grace) > longest


def test_prometheus_shows_the_key_that_the_service_asks_for() -> None:
    """One variable gives both, and none of it is on a disk of the repository."""
    (job,) = yaml.safe_load(read("deploy/prometheus/prometheus.yml"))["scrape_configs"]
    services, (mounted,) = compose()["services"], compose()["services"]["prometheus"]["configs"]
    assert mounted["target"] == job["authorization"]["credentials_file"]
    content = compose()["configs"][mounted["source"]]["content"]
    (asked,) = re.findall(r"^\$\{(\w+):-", services["fillmask"]["environment"]["FILLMASK_API_KEYS"])
    assert re.findall(r"^\$\{(\w+):-.+\}$", content) == [asked]


def test_image_tags_are_pinned() -> None:
    """No image floats: each names a version."""
    images = [service["image"] for service in compose()["services"].values()]
    images += [stage.base for stage in read_stages()]
    assert [image for image in images if not re.search(r":v?\d+\.\d+", image)] == []


@pytest.mark.parametrize(
    ("status", "is_healthy"), [(200, True), (401, True), (500, False), (None, False)]
)
def test_health_check_follows_healthz(status: int | None, is_healthy: bool) -> None:
    """The image's check succeeds where /healthz answers well or wants a key; no proxy is asked."""
    command = image().health_check
    assert command[0] == "python"
    with answer_healthz(status) as port:
        checked = subprocess.run(  # noqa: S603  # the command under test
            [sys.executable, *command[1:]],
            env={"FILLMASK_PORT": str(port), "http_proxy": "http://127.0.0.1:1"},
            capture_output=True,
            timeout=600,
            check=False,
        )
    assert (checked.returncode == 0) is is_healthy, checked.stderr.decode()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_file_is_short(path: Path) -> None:
    """A file that nears the limit is split by noun."""
    assert len(path.read_text("utf-8").splitlines()) < MAX_LINES


def test_modules_are_named_for_what_they_hold() -> None:
    """No folder and no module has a name under which anything could go."""
    names = {part for path in SOURCES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert names & NO_NOUNS == set()


def alerts() -> list[Any]:
    """Return the alert rules, in order."""
    groups = yaml.safe_load(read("deploy/prometheus/alerts.yml"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def compose() -> Any:
    """Return the Compose file."""
    return yaml.safe_load(read("docker-compose.yml"))


def image() -> Stage:
    """Return the last stage of the Dockerfile."""
    return read_stages()[-1]


@contextmanager
def answer_healthz(status: int | None) -> Iterator[int]:
    """Yield a port where /healthz answers with a status, or nobody answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if status and self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        port = server.server_port
        if status is None:
            server.server_close()
            yield port
            return
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield port
        finally:
            server.shutdown()
            thread.join()

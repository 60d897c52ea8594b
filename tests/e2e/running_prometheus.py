"""A real Prometheus in a process of its own, with the configuration that is deployed."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from e2e.running_server import find_free_port, stop

DEPLOYED = Path(__file__).parents[2] / "deploy" / "prometheus"
DEADLINE_S = 60


def write_config(tmp_path: Path, target: str, key: str) -> Path:
    """Write what is in deploy/ with another target, a key in a file, and one second of patience."""
    (tmp_path / "key").write_text(key)
    config = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text("utf-8"))
    config["global"] |= dict.fromkeys(
        ("scrape_interval", "scrape_timeout", "evaluation_interval"), "1s"
    )
    config["rule_files"] = [str(DEPLOYED / path) for path in config["rule_files"]]
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


def ask(prometheus: str, path: str, **parameters: str) -> Any:
    """Return the data of an answer of Prometheus' API."""
    url = f"{prometheus}/api/v1/{path}"
    response = httpx.get(url, params=parameters, trust_env=False).raise_for_status().json()
    assert response["status"] == "success", response
    return response["data"]


def run(command: str, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end; its two outputs come as one."""
    return subprocess.run(  # noqa: S603  # Debian's command
        [find_command(command), *arguments],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=DEADLINE_S,
        check=False,
    )


def find_command(name: str) -> str:
    """Return the path of a command of Debian's package `prometheus`."""
    path = shutil.which(name)
    assert path, f"{name} is not installed; make test-prometheus installs it"
    return path

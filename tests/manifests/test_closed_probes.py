"""Where probes take a key, they run in the pod and show it."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from manifests.kustomize import SERVERS, compose, pod_of, server_of, settings_of

KEY = "one"
PROBES = {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}


@pytest.mark.parametrize("overlay", SERVERS)
def test_probes_are_closed_and_need_no_key_of_the_kubelet(overlay: str) -> None:
    """Each is a command in place of a request, with the times that it had."""
    parts, open_parts = compose(overlay, "closed-probes"), compose(overlay)
    assert settings_of(parts)["FILLMASK_OPEN_PROBES"] == "false"
    for name in PROBES:
        probe, before = server_of(parts)[name], server_of(open_parts)[name]
        assert probe.keys() ^ before.keys() == {"exec", "httpGet"}
        assert {**probe, "httpGet": before["httpGet"]} == {**before, "exec": probe["exec"]}


def test_key_lies_where_the_secret_is_mounted() -> None:
    """Under the name that the monitor reads it by."""
    parts = compose("deployment", "closed-probes", "prometheus")
    (secret,) = [volume for volume in pod_of(parts)["volumes"] if "secret" in volume]
    (place,) = [
        m["mountPath"] for m in server_of(parts)["volumeMounts"] if m["name"] == secret["name"]
    ]
    (endpoint,) = parts["ServiceMonitor", "fillmask"]["spec"]["endpoints"]
    key = endpoint["authorization"]["credentials"]["key"]
    assert f"{place}/{key}" in server_of(parts)["readinessProbe"]["exec"]["command"][-1]


@pytest.mark.parametrize(
    ("name", "key", "status", "is_well"),
    [
        ("startupProbe", KEY, 200, True),
        ("readinessProbe", KEY, 200, True),
        ("readinessProbe", "another", 200, False),
        ("readinessProbe", KEY, 503, False),
        ("readinessProbe", KEY, None, False),
        ("livenessProbe", KEY, 200, True),
        ("livenessProbe", "another", 200, True),
        ("livenessProbe", KEY, 500, False),
        ("livenessProbe", KEY, None, False),
    ],
)
def test_probe_follows_the_server(
    tmp_path: Path, name: str, key: str, status: int | None, is_well: bool
) -> None:
    """Ready is who says so to a holder of the key; alive is who answers, a refusal included."""
    (tmp_path / "metrics").write_text(f"{key}\n")
    server = server_of(compose("deployment", "closed-probes"))
    program, option, code = server[name]["exec"]["command"]
    assert program == "python"
    with answer(PROBES[name], status) as port:
        here = code.replace("8000", str(port)).replace("/keys", str(tmp_path))
        asked = subprocess.run(  # noqa: S603  # the command under test
            [sys.executable, option, here], capture_output=True, timeout=600, check=False
        )
    assert (asked.returncode == 0) is is_well, asked.stderr.decode()


@contextmanager
def answer(path: str, status: int | None) -> Iterator[int]:
    """Yield a port where a path answers holders of the key with a status, 500 all, or nobody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["Authorization"] == f"Bearer {KEY}"
            answered = status if known and self.path == path else 401
            self.send_response(500 if status in {500, None} else answered)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if status is None:
            server.server_close()
            yield server.server_port
            return
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()

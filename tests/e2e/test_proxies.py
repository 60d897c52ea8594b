"""A real server with workers under a prefix: each of them knows the proxies that it may believe."""

import json
from pathlib import Path

import httpx

from e2e.running_server import PATIENCE_S, start_server

PROXY = "127.0.0.9"
ENV = {
    "FILLMASK_WORKERS": "2",
    "FILLMASK_ACCESS_LOG": "true",
    "FILLMASK_ROOT_PATH": "/fillmask",
    "FILLMASK_TRUSTED_PROXIES": "127.0.0.8/31",
    "FORWARDED_ALLOW_IPS": "*",  # uvicorn's own, which counts for nothing
}


def test_callers_are_whom_a_trusted_proxy_names(tmp_path: Path) -> None:
    """Whoever else connects is a caller itself, also from this machine."""
    with start_server(ENV, tmp_path) as server:
        for address in (PROXY, "127.0.0.1"):
            transport = httpx.HTTPTransport(local_address=address)
            base_url = f"{server.url}/fillmask"
            with httpx.Client(transport=transport, base_url=base_url, timeout=PATIENCE_S) as client:
                for _ in range(10):
                    answer = client.get(
                        "/info", headers={"x-forwarded-for": f"203.0.113.7, {PROXY}"}
                    )
                    assert answer.is_success
    log = map(json.loads, server.output.read_text("utf-8").splitlines())
    clients = [event["client"] for event in log if event.get("route") == "/info"]
    assert sorted(clients) == ["127.0.0.1"] * 10 + ["203.0.113.7"] * 10

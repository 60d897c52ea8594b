"""A real nginx in front of a real server, configured as docs/behind-nginx.md shows."""

import getpass
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from contract.documents import code_blocks
from e2e.running_server import RunningServer, find_free_port, start_server, stop

PAGE = "docs/behind-nginx.md"
ROOT = "/fillmask"
CALLER = "127.0.0.3"
"""Where callers come from: another address than nginx has, as anywhere else."""

PATIENCE_S = 120

_AROUND = """\
daemon off;
worker_processes 1;
user {user};
pid {directory}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/bodies;
    proxy_temp_path {directory}/answers;
    include {directory}/site.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Front:
    """An nginx, and the server behind it."""

    port: int
    server: RunningServer
    context: ssl.SSLContext

    @property
    def url(self) -> str:
        """Where callers find the service."""
        return f"https://127.0.0.1:{self.port}{ROOT}"

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """Yield a caller with an address of its own."""
        transport = httpx.HTTPTransport(verify=self.context, local_address=CALLER)
        with httpx.Client(transport=transport, base_url=self.url, timeout=PATIENCE_S) as client:
            yield client


@contextmanager
def start_service(tmp_path: Path, **env: str) -> Iterator[RunningServer]:
    """Run a server with the settings that the page shows, and others."""
    (block,) = code_blocks(PAGE, "ini")
    shown = dict(line.split("=", 1) for line in block.splitlines())
    with start_server({**shown, "FILLMASK_ACCESS_LOG": "true", **env}, tmp_path) as server:
        yield server


@contextmanager
def start_nginx(
    server: RunningServer, directory: Path, changes: Mapping[str, str] | None = None
) -> Iterator[Front]:
    """Run nginx with the page's configuration, names and ports apart.

    Args:
        server: what it stands in front of.
        directory: where its files go.
        changes: what else is written in another way.
    """
    port = find_free_port()
    certificate, key = _make_certificate(directory)
    (site,) = code_blocks(PAGE, "nginx")
    for shown, ours in {
        "127.0.0.1:8000": server.url.removeprefix("http://"),
        "listen 443": f"listen 127.0.0.1:{port}",
        "listen [::]:443": f"listen 127.0.0.2:{port}",
        "/etc/ssl/example.org.pem": str(certificate),
        "/etc/ssl/example.org.key": str(key),
        **(changes or {}),
    }.items():
        assert site.count(shown) == 1, shown
        site = site.replace(shown, ours)
    (directory / "site.conf").write_text(site)
    config = directory / "nginx.conf"
    config.write_text(_AROUND.format(user=getpass.getuser(), directory=directory))
    command = [_find("nginx"), "-p", str(directory), "-c", str(config)]
    process = subprocess.Popen(command)  # noqa: S603  # Debian's command
    try:
        _wait_until_it_listens(port, process)
        yield Front(port, server, ssl.create_default_context(cafile=str(certificate)))
    finally:
        stop(process)


def _wait_until_it_listens(port: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
    message = f"nginx ended with {process.returncode}"
    raise AssertionError(message)


def _make_certificate(directory: Path) -> tuple[Path, Path]:
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    command = [_find("openssl"), "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=example.org"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(certificate)]
    subprocess.run([*command, "-keyout", str(key)], check=True, capture_output=True)  # noqa: S603
    return certificate, key


def _find(name: str) -> str:
    path = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert path, f"{name} is not installed; make test-nginx installs it"
    return path

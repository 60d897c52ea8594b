"""A container of the image: a user without rights, a read-only root, little memory for files."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from front_door.image import Image, enter_command
from front_door.newcomer import children, log

_READY_TIMEOUT_S = 300
_END_TIMEOUT_S = 100
_POLL_S = 0.2
_NAMESPACES = ["--mount", "--pid", "--ipc", "--uts", "--fork"]


@dataclass(frozen=True, slots=True)
class Container:
    """A server as the image starts it; `pid` is that of its first process, seen from outside."""

    image: Image
    env: dict[str, str]
    process: subprocess.Popen[bytes]
    pid: int
    output: Path

    def get(self, path: str, key: str = "") -> Any:
        """Return the answer to a GET, parsed."""
        return json.loads(self._curl(path, "-H", f"authorization: Bearer {key}"))

    def read(self, path: str) -> str:
        """Return the answer to a GET as it is."""
        return self._curl(path)

    def fill(self, preset: str) -> Any:
        """Return the answer of a preset to the README's text."""
        body = {"inputs": "The capital of France is [MASK].", "top_k": 2, "preset": preset}
        return json.loads(
            self._curl("/fill-mask", "-H", "content-type: application/json", "-d", json.dumps(body))
        )

    def read_metrics(self) -> str:
        """Return what Prometheus would see, at the port that the image exposes."""
        return self._curl("/metrics")

    def read_status(self) -> dict[str, str]:
        """Return what the kernel says of the first process."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def read_mounts(self) -> dict[str, str]:
        """Return how each place is mounted that it sees: `ro` or `rw` first."""
        lines = Path(f"/proc/{self.pid}/mounts").read_text().splitlines()
        return {line.split()[1]: line.split()[3] for line in lines}

    def is_healthy(self) -> bool:
        """Run the image's health check inside."""
        user = self.image.stage.one("USER").partition(":")[0]
        inside = ["--mount", "--pid", "--net", "--root", "--wd", f"--setuid={user}"]
        command = _with_environment(self.env, self.image.stage.health_check)
        return self._enter(inside, command).returncode == 0

    def end(self) -> int:
        """Send what Docker would send, and return the exit status."""
        os.kill(self.pid, signal.Signals[self.image.stage.stop_signal])
        return self.process.wait(_END_TIMEOUT_S)

    def wait_until_ready(self) -> None:
        """Return when it listens and the default preset answers."""
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if self._curl("/healthz", "-o", "/dev/null", "-w", "%{http_code}") in {"200", "401"}:
                return
            time.sleep(_POLL_S)
        message = f"The container is not ready; it says:\n{self.output.read_text()}"
        raise AssertionError(message)

    def _curl(self, path: str, *options: str) -> str:
        port = self.image.stage.one("EXPOSE")
        url = f"http://127.0.0.1:{port}{path}"
        return self._enter(["--net"], ["/usr/bin/curl", "-s", *options, url]).stdout

    def _enter(self, spaces: list[str], command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603  # the image's commands, and curl
            ["/usr/bin/nsenter", "--target", str(self.pid), *spaces, *command],
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def start_container(
    image: Image, volumes: Mapping[str, Path], output: Path, *, access: str = "rw", **env: str
) -> Iterator[Container]:
    """Run what the image runs, without a network, for the length of a block.

    Args:
        image: what was built.
        volumes: directories by the places that they are mounted at.
        output: the file that holds what it writes.
        access: whether the volumes can be written to; the root cannot.
        env: settings.
    """
    # Patience: a conversion may take long on a machine that has much else to do.
    variables = {**image.environment, "FILLMASK_REQUEST_TIMEOUT_S": "300", **env}
    command = _inside(image, volumes, access, variables, image.stage.command)
    log.info("$ docker run --read-only --network none -v ...:%s %s", access, " ".join(env))
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  # what the image runs
            ["/usr/bin/unshare", *_NAMESPACES, "--net", *command],
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        while not (first := children(process.pid)):
            assert process.poll() is None, output.read_text()
            time.sleep(_POLL_S)
        container = Container(image, variables, process, first[0], output)
        container.wait_until_ready()
        yield container
    finally:
        # Its first process takes all others with it. A signal to `unshare` would not reach it: what
        # changes its user is no longer told of the death of its parent.
        for pid in children(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait(_END_TIMEOUT_S)


def run_in_container(
    image: Image, volumes: Mapping[str, Path], command: list[str], env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with the network of this machine."""
    log.info("$ docker run %s", " ".join(command))
    inside = _inside(image, volumes, "rw", {**image.environment, **env}, command)
    return subprocess.run(  # noqa: S603  # as above
        ["/usr/bin/unshare", *_NAMESPACES, *inside], capture_output=True, text=True, check=False
    )


def _inside(
    image: Image,
    volumes: Mapping[str, Path],
    access: str,
    variables: Mapping[str, str],
    command: list[str],
) -> list[str]:
    assert set(volumes) == set(image.stage.volumes)
    mounted = [f"{source}:{target}:{access}" for target, source in volumes.items()]
    user = image.stage.one("USER").partition(":")[0]
    return enter_command(image.root, "ro", user, mounted, _with_environment(variables, command))


def _with_environment(variables: Mapping[str, str], command: list[str]) -> list[str]:
    return ["/usr/bin/env", "-i", *(f"{k}={v}" for k, v in variables.items()), *command]

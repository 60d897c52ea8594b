"""What a newcomer has: a fresh clone, an empty home, and nothing of the test environment."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract.documents import ROOT

_NETWORK = {
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
}
"""What leads to the registry here. Nothing else of the caller's environment is passed on."""

_END_TIMEOUT_S = 60

log = logging.getLogger(__name__)
"""Its records are the transcript."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A clone of what is committed here, and an empty home directory."""

    clone: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """All that a newcomer's shell knows."""
        return {**scrubbed_environment(), "HOME": str(self.home)}

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a piece of shell in the clone, and write it down."""
        return subprocess.run(  # noqa: S603  # what the README says
            ["/bin/bash", "-o", "pipefail", "-c", script],
            cwd=self.clone,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @contextmanager
    def start(self, command: str, output: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command of the README from the beginning of a block to its end.

        Args:
            command: one without quotes or pipes.
            output: the file that holds what it writes.
        """
        log.info("$ %s", command)
        with output.open("wb") as file:
            process = subprocess.Popen(  # noqa: S603  # as above
                command.split(),
                cwd=self.clone,
                env=self.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            for pid in (*children(process.pid), process.pid):
                if process.poll() is None:
                    os.kill(pid, 15)
            process.wait(_END_TIMEOUT_S)


def arrive(directory: Path) -> Newcomer:
    """Clone the repository into a directory, whatever user owns it."""
    git_config = directory / "gitconfig"
    git_config.write_text("[safe]\n\tdirectory = *\n", "utf-8")
    newcomer = Newcomer(directory / "fillmask", directory / "home")
    newcomer.home.mkdir()
    log.info("$ git clone fillmask")
    subprocess.run(  # noqa: S603  # our own repository
        ["/usr/bin/env", "git", "clone", "--quiet", str(ROOT), str(newcomer.clone)],
        env={**scrubbed_environment(), "GIT_CONFIG_GLOBAL": str(git_config)},
        check=True,
    )
    return newcomer


def scrubbed_environment() -> dict[str, str]:
    """Return the environment of a shell that has just been opened; first the Python of this one."""
    system = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
    path = ":".join(dict.fromkeys([str(Path(sys.base_prefix) / "bin"), *system]))
    return {"PATH": path, "LANG": "C.UTF-8", **network_environment()}


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except FileNotFoundError:
        return []


def network_environment() -> dict[str, str]:
    """Return what leads to the registry here."""
    return {name: value for name, value in os.environ.items() if name in _NETWORK}

"""Both hubs on loopback: a real HTTP server that speaks what their own libraries ask for.

Hugging Face is found by `HF_ENDPOINT`. Kaggle's library has no such variable, so it is told to
talk to `http://localhost` (`KAGGLE_API_ENVIRONMENT=LOCALHOST`), and this server is its proxy.
"""

import hashlib
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from fake_hub_handler import Asked, Fault, Files, HubHandler, git_sha1

__all__ = ["FakeHub", "Fault", "Files", "read_files"]


@dataclass
class FakeHub:
    """A server for the length of a `with` block.

    Attributes:
        repositories: the files of Hugging Face, by `user/name`.
        models: the files on Kaggle, by `user/model/keras/variation`.
        faults: what is wrong, by the end of a path.
        asked: every request.
        served: how many bytes of files were sent.
        on_bytes: called after every chunk of a file with `served`.
        version: of every model on Kaggle.
    """

    repositories: dict[str, Files] = field(default_factory=dict)
    models: dict[str, Files] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    served: int = 0
    on_bytes: Callable[[int], None] = lambda _: None
    version: int = 3

    def __enter__(self) -> Self:
        """Listen."""
        hub = self

        class Handler(HubHandler):
            pass

        Handler.hub = hub
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def environment(self, home: Path) -> dict[str, str]:
        """Return the variables that lead both libraries here, and their caches under `home`."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home / "hf"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST",
            "KAGGLEHUB_CACHE": str(home / "kagglehub"),
            "KAGGLE_CONFIG_DIR": str(home / "kaggle"),
            "HOME": str(home),
            "http_proxy": self.url,
            "no_proxy": "127.0.0.1",
        }

    def count(self, path: str, method: str = "GET") -> int:
        """Return how many requests of a method had a path that ends so."""
        return sum(a.method == method and a.path.endswith(path) for a in self.asked)

    def commit(self, repository: str) -> str:
        """Return the commit that a repository is at: it follows from the files."""
        content = [(path, git_sha1(data)) for path, data in self.repositories[repository].items()]
        return hashlib.sha1(repr(content).encode()).hexdigest()  # noqa: S324  # as git does

    def take_fault(self, path: str) -> Fault:
        """Return what is to be wrong with an answer."""
        for end, fault in self.faults.items():
            if path.endswith(end) and fault.times > 0:
                fault.times -= 1
                return fault
        return Fault()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of those who left in the middle: tests kill them."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def read_files(directory: Path) -> dict[str, bytes]:
    """Return what lies in a directory, by path."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }

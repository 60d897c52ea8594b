"""Where one application of the cluster is: at `/`, and one at a time."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count

from ray import serve

from deploy.ray.app import compose
from on_ray.ray_cluster import start_cluster, start_proxies
from service.processes.ray.application import CreateStore, Options
from service.settings import Settings

_NUMBERS = count()


class Place:
    """A cluster, and what is deployed on it."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._end = ExitStack()
        self._at_root = ExitStack()
        self._deployed: tuple[Settings, int] | None = None
        self._url = ""

    @contextmanager
    def serve(
        self, settings: Settings, create_store: CreateStore, replicas: int, path: str
    ) -> Iterator[str]:
        """Run an application below a path, one replica of each kind a node, and say where."""
        with _no_alarm():
            url = self._start()
        each = {"num_replicas": replicas, "max_replicas_per_node": 1}
        name = f"fillmask-{next(_NUMBERS)}"
        app = compose(settings, create_store, Options(engine=each, ingress=each))
        with _no_alarm():
            serve.run(app, name=name, route_prefix=path or "/")
        try:
            yield url + path
        finally:
            with _no_alarm():
                serve.delete(name)

    def serve_at_root(
        self,
        settings: Settings,
        create_store: CreateStore,
        replicas: int,
        clean: Callable[[str], bool],
    ) -> str:
        """Run an application at `/`, or go on with the one that is there if it can be cleaned."""
        if (settings, replicas) != self._deployed or not clean(self._url):
            self.clear_root()
            self._url = self._at_root.enter_context(
                self.serve(settings, create_store, replicas, "")
            )
            self._deployed = settings, replicas
        return self._url

    def clear_root(self) -> None:
        """End what runs at `/`."""
        self._deployed = None
        self._at_root.close()

    def close(self) -> None:
        """End the cluster."""
        self.clear_root()
        self._end.close()

    def _start(self) -> str:
        if not self._url:
            self._end.enter_context(start_cluster())
            self._url = start_proxies()
        return self._url


@contextmanager
def _no_alarm() -> Iterator[None]:
    """Stop the clock of a test: a deployment takes seconds that it knows nothing of."""
    left = signal.alarm(0)
    yield
    signal.alarm(left)

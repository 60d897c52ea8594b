"""The service with engines that sleep, deployed as `serve deploy` would: by a configuration."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.ray.sleeping_store import create_store
from service.settings import Settings

NAME = "fillmask"
PORT = 18_400

_PATIENCE_S = 240.0
_LOOK_S = 0.2
_CPUS = 0.1
"""What a replica asks a node for: engines that sleep need no core, and nodes only say they have."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is deployed.

    Attributes:
        directory: the presets.
        settings: those of the service, by name, besides.
        engines: how many engine replicas.
        ingresses: how many ingress replicas.
        router: the class by which calls for engines are routed, if not the application's own.
    """

    directory: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    engines: int = 3
    ingresses: int = 3
    router: str | None = None

    def write_config(self) -> dict[str, Any]:
        """Return the configuration, as the file of `serve deploy` says it."""
        actor = {"ray_actor_options": {"num_cpus": _CPUS}}
        engine: dict[str, Any] = {"name": "engine", "num_replicas": self.engines, **actor}
        if self.router:
            engine["request_router_config"] = {"request_router_class": self.router}
        arguments = {"model_store_dir": str(self.directory), **self.settings}
        application = {
            "name": NAME,
            "route_prefix": "/",
            "import_path": "bench.ray.application:build",
            "args": arguments,
            "deployments": [
                engine,
                {"name": "ingress", "num_replicas": self.ingresses, **actor},
            ],
        }
        return {
            "proxy_location": "EveryNode",
            "http_options": {"host": "127.0.0.1", "port": PORT},
            "applications": [application],
        }

    def is_whole(self) -> bool:
        """Say whether all of it runs, and nothing else of it."""
        from ray import serve  # noqa: PLC0415  # it takes seconds

        application = serve.status().applications.get(NAME)
        if application is None or application.status != "RUNNING":
            return False
        running = {
            name: {state: count for state, count in deployment.replica_states.items() if count}
            for name, deployment in application.deployments.items()
        }
        wanted = {"engine": self.engines, "ingress": self.ingresses}
        return all(running[name] == {"RUNNING": count} for name, count in wanted.items())


def build(arguments: Mapping[str, Any]) -> Any:
    """Put the service together, for Serve."""
    from deploy.ray.app import compose  # noqa: PLC0415  # it takes seconds

    return compose(Settings(**arguments), create_store)


def deploy(shape: Shape) -> None:
    """Deploy a configuration in place of the one that is there, and wait until all of it runs.

    Every node has a proxy, and they share one port: who connects comes to any of them.
    """
    from ray import serve  # noqa: PLC0415
    from ray.serve.schema import ServeDeploySchema  # noqa: PLC0415

    config = shape.write_config()
    serve.start(proxy_location=config["proxy_location"], http_options=config["http_options"])
    # What the command sends to the head node's dashboard, which a test's cluster does without.
    client = serve.context._get_global_client()  # noqa: SLF001
    client.deploy_apps(ServeDeploySchema.model_validate(config))
    time.sleep(1.0)  # until its status says that it is being deployed
    wait_until(shape.is_whole)
    client.wait_for_proxies_serving(wait_for_applications_running=True)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return when something is so.

    Raises:
        TimeoutError: it is not, for minutes.
    """
    until = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > until:
            from ray import serve  # noqa: PLC0415

            message = f"not so after {_PATIENCE_S} s: {serve.status()}"
            raise TimeoutError(message)
        time.sleep(_LOOK_S)

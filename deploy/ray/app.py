"""The service as a Ray Serve application: `serve run deploy.ray.app:app`."""

from collections.abc import Mapping
from typing import Any

from ray import serve

from service.app import create_app
from service.models.preset_store import create_store
from service.processes.ray.application import AS_USUAL, CreateStore, Options
from service.processes.ray.application import compose as compose_application
from service.settings import Settings


def compose(
    settings: Settings,
    create_store: CreateStore = create_store,
    options: Options = AS_USUAL,
) -> serve.Application:
    """Put the service together.

    Args:
        settings: how it behaves.
        create_store: where its models come from; an importable function.
        options: Serve's, of the deployments.
    """
    return compose_application(settings, create_store, create_app, options)


def build(arguments: Mapping[str, Any]) -> serve.Application:
    """Put the service together with settings by their names, over those of the environment."""
    return compose(Settings(**arguments))


app = build({})

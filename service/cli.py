"""The `fillmask` command."""

import os
from pathlib import Path

import click
import uvicorn
import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from service.app import create_app
from service.commands.presets import presets
from service.commands.train import evaluate, train
from service.logs import UVICORN_OPTIONS, configure_logs
from service.settings import Settings
from service.shutdown import exit_well_on_sigterm
from service.supervisor import serve_with_workers


@click.group()
@click.version_option(package_name="fillmask")
def cli() -> None:
    """Answer which tokens belong at each [MASK]."""
    # TensorFlow greets every start with lines that no user of a server can act on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@cli.command()
@click.option("--host", help="The address to listen on.  [FILLMASK_HOST]")
@click.option("--port", type=int, help="The port to listen on.  [FILLMASK_PORT]")
def serve(host: str | None, port: int | None) -> None:
    """Serve the HTTP API."""
    settings = _read_settings()
    configure_logs(settings)
    if settings.engine not in {"auto", "openvino"}:
        os.environ.setdefault("KERAS_BACKEND", settings.engine)
    host = settings.host if host is None else host
    port = settings.port if port is None else port
    if settings.workers > 1:
        serve_with_workers(settings, host=host, port=port)
    else:
        exit_well_on_sigterm()
        uvicorn.run(create_app(settings), host=host, port=port, **UVICORN_OPTIONS)


@cli.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
def openapi(path: Path) -> None:
    """Write the OpenAPI document of the HTTP API to PATH."""
    document = create_app(Settings()).openapi()
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")


def _read_settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        sentences = "\n".join(_describe(found) for found in error.errors())
        raise click.ClickException(sentences) from error


def _describe(found: ErrorDetails) -> str:
    """Say what is wrong with one setting, or with several that do not go together."""
    if not found["loc"]:
        return found["msg"].removeprefix("Value error, ")
    return f"FILLMASK_{str(found['loc'][0]).upper()} is not valid: {found['msg']}."


cli.add_command(presets)
cli.add_command(train)
cli.add_command(evaluate)

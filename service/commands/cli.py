"""The `fillmask` command."""

import os
from contextlib import nullcontext
from socket import socket
from typing import IO

import click
import yaml

from service.app import create_app, create_worker_app
from service.commands.environment import read_settings
from service.commands.presets import presets
from service.commands.run import run
from service.commands.sentences import SentenceGroup
from service.commands.start_checks import check_start, log_what_is_ignored
from service.commands.train import evaluate, train
from service.models.preset_store import create_store
from service.processes.listening import ListenError, listen, require_free, serve_app
from service.processes.shutdown import exit_well_on_sigterm
from service.processes.supervisor import serve_with_workers
from service.settings import Settings
from service.telemetry.logs import configure_logs
from service.telemetry.native_output import logged_native_output


@click.group(cls=SentenceGroup)
@click.version_option(package_name="fillmask")
def cli() -> None:
    """Answer which tokens belong at each [MASK]."""
    # TensorFlow greets every start with lines that no user of a server can act on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # What goes wrong in gRPC is told to its callers; beside that, it would greet every start, too.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Both would take three quarters of a GPU, or all of it, at their first breath. What is set by
    # hand stays.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


@cli.command()
@click.option("--host", help="The address to listen on.  [FILLMASK_HOST]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on.  [FILLMASK_PORT]"
)
def serve(host: str | None, port: int | None) -> None:
    """Serve the HTTP API."""
    settings = read_settings()
    # With workers, the process that runs the models does so.
    with logged_native_output() if settings.workers == 1 else nullcontext():
        _serve(settings, host, port)


def _serve(settings: Settings, host: str | None, port: int | None) -> None:
    configure_logs(settings)
    store = create_store(settings)
    log_what_is_ignored(store)
    check_start(settings, store)
    if settings.engine not in {"auto", "openvino"}:
        os.environ.setdefault("KERAS_BACKEND", settings.engine)
    host = settings.host if host is None else host
    port = settings.port if port is None else port
    try:
        listener = listen(settings, host, port)
        with listener:
            # What is announced is where it listens, whatever chose that.
            place = {"host": host, "port": listener.getsockname()[1]}
            _serve_on(listener, settings.model_copy(update=place))
    except ListenError as error:
        raise click.ClickException(str(error)) from error


def _serve_on(listener: socket, settings: Settings) -> None:
    if settings.grpc_port is not None:
        require_free(settings.host, settings.grpc_port)
    if settings.workers > 1:
        serve_with_workers(settings, listener, create_worker_app)
    else:
        exit_well_on_sigterm()
        serve_app(create_app(settings), listener, settings)


@cli.command()
@click.argument("path", type=click.File("w", encoding="utf-8"))
def openapi(path: IO[str]) -> None:
    """Write the OpenAPI document of the HTTP API to PATH; `-` is the standard output."""
    document = create_app(read_settings()).openapi()
    path.write(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


cli.add_command(presets)
cli.add_command(run)
cli.add_command(train)
cli.add_command(evaluate)

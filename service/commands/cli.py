"""The `fillmask` command."""

import os
from contextlib import nullcontext
from importlib.metadata import version
from socket import socket
from typing import Annotated

import yaml
from typer import Argument, Exit, FileTextWrite, Option, Typer, echo
from typer.main import get_command

from service.app import create_app, create_worker_app
from service.commands.ask.predict import predict
from service.commands.ask.score import score
from service.commands.bench.bench import bench
from service.commands.doctor.doctor import doctor
from service.commands.doctor.start_checks import check_start, log_what_is_ignored
from service.commands.environment import read_settings
from service.commands.options import choose_markup, examples
from service.commands.presets import presets
from service.commands.run import run
from service.commands.sentences import CommandError, SentenceGroup
from service.commands.train import evaluate, train
from service.models.preset_store import create_store
from service.processes.listening import ListenError, listen, require_free, serve_app
from service.processes.shutdown import exit_well_on_sigterm
from service.processes.supervisor import serve_with_workers
from service.settings import Settings
from service.telemetry.logs import configure_logs
from service.telemetry.native_output import logged_native_output

app = Typer(
    cls=SentenceGroup,
    rich_markup_mode=choose_markup(),
    no_args_is_help=True,
    epilog=examples(
        "fillmask serve",
        'fillmask predict "The capital of France is [MASK]."',
        "fillmask doctor",
    ),
)


def _show_version(is_asked: bool) -> None:  # noqa: FBT001  # typer's signature
    if is_asked:
        echo(f"fillmask, version {version('fillmask')}")
        raise Exit


@app.callback()
def start(
    *,
    _version: Annotated[
        bool,
        Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Answer which tokens belong at each [MASK]."""
    # TensorFlow greets every start with lines that no user of a server can act on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # What goes wrong in gRPC is told to its callers; beside that, it would greet every start, too.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Both would take three quarters of a GPU, or all of it, at their first breath. What is set by
    # hand stays.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


@app.command(
    epilog=examples("fillmask serve", "FILLMASK_WORKERS=4 fillmask serve --host 0.0.0.0 --port 80")
)
def serve(
    host: Annotated[
        str | None, Option(help="The address to listen on.  [FILLMASK_HOST]", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        Option(min=0, max=65535, help="The port to listen on.  [FILLMASK_PORT]"),
    ] = None,
) -> None:
    """Serve the HTTP API.

    Every other setting is a variable of the environment: docs/configuration.md has them all.
    """
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
        raise CommandError(str(error)) from error


def _serve_on(listener: socket, settings: Settings) -> None:
    if settings.grpc_port is not None:
        require_free(settings.host, settings.grpc_port)
    if settings.workers > 1:
        serve_with_workers(settings, listener, create_worker_app)
    else:
        exit_well_on_sigterm()
        serve_app(create_app(settings), listener, settings)


@app.command(epilog=examples("fillmask openapi -", "fillmask openapi openapi.yaml"))
def openapi(path: Annotated[FileTextWrite, Argument(encoding="utf-8")]) -> None:
    """Write the OpenAPI document of the HTTP API to PATH; `-` is the standard output."""
    document = create_app(read_settings()).openapi()
    path.write(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


app.command(
    epilog=examples(
        'fillmask predict "The capital of France is [MASK]."',
        'fillmask predict --top-k 3 "The [MASK] sat on the [MASK]."',
        'fillmask predict --targets good --targets bad "It was a [MASK] day."',
        "fillmask predict - < texts.txt > answer.json",
    )
)(predict)
app.command(
    epilog=examples(
        'fillmask score "The dogs bark." "The dogs barks."',
        "fillmask score --method pll - < texts.txt",
    )
)(score)
app.command(
    epilog=examples(
        "fillmask run --input texts.txt --output answers.jsonl",
        "fillmask run --input rows.csv --column text --output out.jsonl --failed failed.jsonl",
    )
)(run)
app.add_typer(presets, name="presets")
app.command(
    epilog=examples(
        "fillmask train --init minilm_l6_en_uncased --text train.txt.xz --heldout heldout.txt"
        " --out model --steps 1000",
    )
)(train)
app.command(epilog=examples("fillmask evaluate --init minilm_l6_en_uncased --heldout heldout.txt"))(
    evaluate
)

app.command(epilog=examples("fillmask bench", "fillmask bench --seconds 20 > rates.json"))(bench)
app.command(epilog=examples("fillmask doctor", "fillmask doctor > report.json"))(doctor)

cli = get_command(app)

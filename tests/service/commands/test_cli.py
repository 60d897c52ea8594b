"""The `fillmask` command."""

import logging
import os
import runpy
import socket
import sys
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from service.commands.__main__ import main
from service.commands.cli import app
from service.settings import Settings

GPU_MEMORY = ("XLA_PYTHON_CLIENT_PREALLOCATE", "TF_FORCE_GPU_ALLOW_GROWTH")


class Listener(nullcontext[None]):
    """A socket that listens nowhere."""

    def __init__(self, port: int) -> None:
        """Have got a port."""
        super().__init__()
        self._port = port

    def getsockname(self) -> tuple[str, int]:
        """Return where it would listen."""
        return "", self._port


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what was to be served, and where; nothing listens."""
    served: list[dict[str, Any]] = []

    def listen(settings: Settings, host: str, port: int) -> Any:
        served.append({"settings": settings, "host": host, "port": port})
        return Listener(port or 50_000)

    def serve(app: FastAPI, _: Any, settings: Settings) -> None:
        served[0]["app"] = app
        served[0]["announced"] = (settings.host, settings.port)
        served[0]["level"] = os.environ["TF_CPP_MIN_LOG_LEVEL"]
        served[0]["backend"] = os.environ.get("KERAS_BACKEND")
        served[0]["memory"] = [os.environ.get(variable) for variable in GPU_MEMORY]

    monkeypatch.setattr("service.commands.cli.listen", listen)
    monkeypatch.setattr("service.commands.cli.serve_app", serve)
    return served


def invoke(*arguments: str, **environment: str) -> Result:
    """Run the command with settings of its own."""
    unset = ("TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND", *GPU_MEMORY)
    environment_: dict[str, str | None] = dict.fromkeys(unset) | environment
    return CliRunner().invoke(
        app, arguments, env=environment_, prog_name="fillmask", catch_exceptions=False
    )


def test_serve_listens_where_the_settings_say(served: list[dict[str, Any]]) -> None:
    """Without options, the environment decides."""
    invoke("serve", FILLMASK_HOST="::1", FILLMASK_PORT="9000")
    assert (served[0]["host"], served[0]["port"]) == ("::1", 9000)


def test_options_of_serve_go_before_the_settings(served: list[dict[str, Any]]) -> None:
    """What is typed is what is meant."""
    invoke("serve", "--host", "::1", "--port", "0", FILLMASK_PORT="9000")
    assert (served[0]["host"], served[0]["port"]) == ("::1", 0)
    assert served[0]["announced"] == ("::1", 50_000)


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("FILLMASK_PORT", "70000", "FILLMASK_PORT is not valid: Input should be less than"),
        ("FILLMASK_PRECISION", "int8", "FILLMASK_PRECISION is not valid: Input should be 'auto'"),
        ("FILLMASK_DEFAULT_PRESET", "no", "FILLMASK_DEFAULT_PRESET names no, which is no preset;"),
    ],
)
def test_serve_says_in_a_sentence_what_is_wrong_with_a_setting(
    served: list[dict[str, Any]], variable: str, value: str, sentence: str
) -> None:
    """A traceback is for nobody who sets a variable."""
    result = invoke("serve", **{variable: value})
    assert (result.exit_code, served) == (1, [])
    assert result.output.startswith(f"Error: {sentence}")
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("port", ["-1", "65536", "99999", "http"])
def test_serve_refuses_a_port_that_is_none(served: list[dict[str, Any]], port: str) -> None:
    """A port is a number of sixteen bits, wherever it is given."""
    result = invoke("serve", "--port", port)
    assert (result.exit_code, served) == (2, [])
    assert "Error: Invalid value for '--port'" in result.output


def test_serve_tells_of_misspelt_settings_before_it_fails(served: list[dict[str, Any]]) -> None:
    """They may be why."""
    result = invoke("serve", FILLMASK_DEFAULT_PRESET="no", FILLMASK_MODEL_STORE_DIRR="/")
    assert served == []
    assert '"variable":"FILLMASK_MODEL_STORE_DIRR"' in result.output.splitlines()[0]


def test_serve_serves_the_app(served: list[dict[str, Any]]) -> None:
    """The command serves what the package is."""
    invoke("serve")
    assert served[0]["app"].title == "fillmask"


def test_several_workers_are_served_by_several_processes(
    served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The options of the command are theirs too."""

    def serve(settings: Settings, _listener: Any, _create_worker_app: Any) -> None:
        served.append({"workers": settings.workers})

    monkeypatch.setattr("service.commands.cli.serve_with_workers", serve)
    invoke("serve", "--port", "0", FILLMASK_WORKERS="2", FILLMASK_HOST="::1")
    assert (served[0]["host"], served[0]["port"]) == ("::1", 0)
    assert served[1:] == [{"workers": 2}]


def test_serve_says_in_a_sentence_why_it_cannot_listen() -> None:
    """Before anything says that it runs, and without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke("serve", "--port", str(port))
    assert result.exit_code == 1
    assert result.output == (
        f"Error: Port {port} of 127.0.0.1 is in use; end what listens there, or name another one "
        "with --port or FILLMASK_PORT.\n"
    )


def test_serve_says_that_the_port_of_grpc_is_taken(
    served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before workers start, which could share it with a stranger."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("FILLMASK_GRPC_PORT", str(port))
        result = invoke("serve")
    assert result.exit_code == 1
    assert "app" not in served[0]
    assert result.output == (
        f"Error: Port {port} of 127.0.0.1 is in use; end what listens there, or name another one "
        "with FILLMASK_GRPC_PORT.\n"
    )
    assert invoke("serve").exit_code == 0


@pytest.mark.parametrize(
    ("engine", "backend"), [("jax", "jax"), ("auto", None), ("openvino", None)]
)
def test_keras_runs_on_what_the_engine_needs(
    served: list[dict[str, Any]], engine: str, backend: str | None
) -> None:
    """Who names an engine of Keras need not name its backend as well."""
    invoke("serve", FILLMASK_ENGINE=engine)
    assert served[0]["backend"] == backend


@pytest.mark.usefixtures("served")
def test_log_is_configured_before_anything_is_served() -> None:
    """Its level is that of the settings."""
    invoke("serve", FILLMASK_ACCESS_LOG="true")
    assert logging.getLogger("uvicorn.error").handlers == []
    assert logging.getLogger("service").level == logging.INFO


def test_runtime_is_told_to_be_quiet(served: list[dict[str, Any]]) -> None:
    """TensorFlow's greetings are hidden."""
    invoke("serve")
    assert served[0]["level"] == "2"


def test_runtime_speaks_where_somebody_wants_it(served: list[dict[str, Any]]) -> None:
    """A level that is set already is kept."""
    invoke("serve", TF_CPP_MIN_LOG_LEVEL="0")
    assert served[0]["level"] == "0"


def test_openapi_is_written(tmp_path: Path) -> None:
    """The file has the routes of the app."""
    path = tmp_path / "openapi.yaml"
    assert invoke("openapi", str(path)).exit_code == 0
    assert "/fill-mask" in yaml.safe_load(path.read_text("utf-8"))["paths"]


def test_openapi_is_written_to_the_output_where_asked() -> None:
    """`-` is what it is to every command."""
    result = invoke("openapi", "-")
    assert "/fill-mask" in yaml.safe_load(result.stdout)["paths"]


@pytest.mark.parametrize("path", ["/no/such/directory/openapi.yaml", "/dev/full", "/"])
def test_openapi_says_why_it_cannot_be_written(path: str) -> None:
    """One sentence; no traceback."""
    result = invoke("openapi", path)
    assert result.exit_code in {1, 2}
    assert result.output.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize(
    "command",
    [
        ("presets", "list"),
        ("presets", "pull", "a"),
        ("presets", "verify", "a"),
        ("openapi", "-"),
        ("serve",),
    ],
    ids=" ".join,
)
def test_every_command_says_which_setting_is_wrong(command: tuple[str, ...]) -> None:
    """The settings are those of all commands."""
    result = invoke(*command, FILLMASK_PORT="abc")
    assert result.exit_code == 1
    assert result.output.startswith("Error: FILLMASK_PORT is not valid: ")
    assert result.output.count("\n") == 1


def test_interrupt_ends_a_command_that_is_still_being_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C in the first second is no fault either."""

    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("service.commands.cli.cli", interrupt)
    with pytest.raises(SystemExit, match="Aborted!"):
        main()


def test_version_is_that_of_the_package() -> None:
    """The command says what it is."""
    assert invoke("--version").output.startswith("fillmask, version ")


def test_package_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m service.commands` is `fillmask`."""
    spec = find_spec("service.commands.__main__")
    assert spec
    assert spec.origin
    monkeypatch.setattr(sys, "argv", ["anything", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(spec.origin, run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("Usage: fillmask ")


def test_import_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Only the command itself runs it."""
    spec = find_spec("service.commands.__main__")
    assert spec
    assert spec.origin
    assert callable(runpy.run_path(spec.origin)["main"])
    assert capsys.readouterr().out == ""


def test_no_memory_of_a_gpu_is_taken_before_it_is_needed(served: list[dict[str, Any]]) -> None:
    """Several models share a card, and other programs do."""
    invoke("serve")
    assert served[0]["memory"] == ["false", "true"]


def test_what_is_set_of_a_gpus_memory_stays(served: list[dict[str, Any]]) -> None:
    """Who has the card alone may have all of it taken at once."""
    invoke("serve", XLA_PYTHON_CLIENT_PREALLOCATE="true", TF_FORCE_GPU_ALLOW_GROWTH="false")
    assert served[0]["memory"] == ["true", "false"]

"""A server does not start with settings that could never work."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fakes import FakeStore, make_preset
from model_store.store import ModelStore
from service.commands.doctor.start_checks import check_start, log_what_is_ignored
from service.commands.environment import SettingsError
from service.settings import Settings
from service.telemetry.logs import configure_logs

STORE = FakeStore([make_preset("tiny"), make_preset("headless", no_head="It is a classifier.")])


def test_settings_that_work_are_let_through(tmp_path: Path) -> None:
    """A preset without files may be fetched, or come by hand."""
    settings = Settings(
        default_preset="tiny", pinned_presets=("tiny",), model_store_dir=tmp_path, engine="jax"
    )
    settings = settings.model_copy(update={"root_path": "/fillmask"})
    check_start(settings, STORE)


def test_defaults_are_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default directory is made when something is fetched: nobody named it."""
    monkeypatch.setenv("HOME", "/nowhere")
    check_start(Settings(), ModelStore(Settings().model_store_dir))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"default_preset": "none"}, "FILLMASK_DEFAULT_PRESET names none, which is no preset; `f"),
        (
            {"default_preset": "headless"},
            "FILLMASK_DEFAULT_PRESET names headless, which cannot fill a mask: It is a classifier.",
        ),
        ({"pinned_presets": "tiny,none"}, "FILLMASK_PINNED_PRESETS names none, which is no preset"),
        (
            {"root_path": "/v2/bert"},
            "FILLMASK_ROOT_PATH is /v2/bert, and the service has paths of its own below /v2; take",
        ),
        ({"root_path": "/docs"}, "FILLMASK_ROOT_PATH is /docs, and the service has paths of its"),
        ({"model_store_dir": "/no/such"}, "FILLMASK_MODEL_STORE_DIR names /no/such, which is no d"),
        ({"model_store_dir": __file__}, f"FILLMASK_MODEL_STORE_DIR names {__file__}, which is no"),
    ],
)
def test_what_could_never_work_ends_the_start(wrong: dict[str, Any], sentence: str) -> None:
    """The sentence names the variable."""
    with pytest.raises(SettingsError, match=f"^{re.escape(sentence)}"):
        check_start(Settings(**{"default_preset": "tiny"} | wrong), STORE)


def test_engine_that_is_not_installed_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any request has to find out."""
    monkeypatch.setattr("service.commands.doctor.start_checks.find_spec", lambda _: None)
    with pytest.raises(SettingsError, match="FILLMASK_ENGINE names torch, which is not installed"):
        check_start(Settings(default_preset="tiny", engine="torch"), STORE)


def test_what_is_ignored_is_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt variable with the likeliest name, and a directory with the reason."""
    monkeypatch.setenv("FILLMASK_PROT", "9000")
    monkeypatch.setenv("FILLMASK_PORT", "9000")
    (tmp_path / "my preset").mkdir()
    (tmp_path / "my preset" / "config.json").write_text("{}")
    configure_logs(Settings())
    log_what_is_ignored(ModelStore(tmp_path))
    variable, directory = map(json.loads, capsys.readouterr().err.splitlines())
    assert (variable["event"], variable["level"]) == ("setting_unknown", "warning")
    assert (variable["variable"], variable["likely"]) == ("FILLMASK_PROT", "FILLMASK_PORT")
    assert (directory["event"], directory["directory"]) == ("directory_ignored", "my preset")
    assert directory["reason"].startswith("A preset's name has up to 128 characters")


def test_nothing_is_logged_where_nothing_is_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    """The usual start is quiet."""
    configure_logs(Settings())
    log_what_is_ignored(ModelStore())
    assert capsys.readouterr().err == ""

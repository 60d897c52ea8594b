"""`fillmask presets`, without a hub."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from model_store.catalog import EMBEDDED
from model_store.errors import ModelLoadError, PresetUnavailableError
from model_store.head_proof import HeadProof
from model_store.resolver import Progress
from model_store.store import ModelStore
from service.cli import cli


def invoke(*arguments: str, **environment: str) -> Result:
    """Run the command with settings of its own."""
    return CliRunner().invoke(cli, ["presets", *arguments], env=environment, prog_name="fillmask")


def test_list_says_what_is_here(tmp_path: Path) -> None:
    """Name, whether the files are here, and where they come from."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    lines = invoke("list", FILLMASK_MODEL_STORE_DIR=str(tmp_path)).output.splitlines()
    listed = [line.split() for line in lines]
    assert [EMBEDDED, "here", "embedded"] in listed
    assert ["bert_base_zh", "to", "pull", "kaggle://keras/bert/keras/bert_base_zh"] in listed
    assert ["mine", "here", "directory"] in listed
    assert any(line[:3] == ["bert_tiny_en_uncased_sst2", "no", "head"] for line in listed)


def test_pull_says_where_the_files_are(tmp_path: Path) -> None:
    """The embedded preset is always here."""
    result = invoke("pull", EMBEDDED, FILLMASK_MODEL_STORE_DIR=str(tmp_path))
    assert result.exit_code == 0
    assert result.output.strip().endswith(f"presets/{EMBEDDED}")


def test_pull_goes_on_after_a_failure(tmp_path: Path) -> None:
    """The others are pulled, and the status tells that one was not."""
    result = invoke(
        "pull",
        "bert_base_zh",
        EMBEDDED,
        FILLMASK_MODEL_STORE_DIR=str(tmp_path),
        FILLMASK_OFFLINE="1",
    )
    assert result.exit_code == 1
    assert "bert_base_zh: The files of bert_base_zh are not here" in result.stderr
    assert EMBEDDED in result.stdout


def test_pull_passes_the_settings_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is here is read to the last byte, and progress is shown."""
    asked = {}

    def resolve(
        handle: str, *, directory: Path, offline: bool, verify: bool, progress: Progress
    ) -> Path:
        progress(1, 2)
        asked.update(handle=handle, directory=directory, offline=offline, verify=verify)
        raise PresetUnavailableError

    monkeypatch.setattr("service.commands.presets.resolve", resolve)
    invoke("pull", "hf://a/b", FILLMASK_MODEL_STORE_DIR=str(tmp_path))
    assert asked == {
        "handle": "hf://a/b",
        "directory": tmp_path,
        "offline": False,
        "verify": True,
    }


@pytest.mark.parametrize(
    ("log_probability", "word", "status"), [(-0.7, "verified", 0), (-9.9, "unproven", 1)]
)
def test_verify_tells_what_the_probe_found(
    monkeypatch: pytest.MonkeyPatch, log_probability: float, word: str, status: int
) -> None:
    """Both rivals are named, and the status is for scripts."""
    proof = HeadProof("english", log_probability, uniform=-10.3, shuffled=-17.4)
    monkeypatch.setattr(ModelStore, "verify", lambda _self, _name: proof)
    result = invoke("verify", EMBEDDED)
    assert result.exit_code == status
    assert f"{word} on english" in result.output
    assert "uniform -10.30, shuffled -17.40" in result.output


def test_verify_says_why_it_cannot(tmp_path: Path) -> None:
    """One sentence, no traceback."""
    result = invoke("verify", "nobody", FILLMASK_MODEL_STORE_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert result.output.startswith("Error: There is no preset of that name")


@pytest.mark.parametrize(
    ("engine", "kept"), [("openvino", "kept in "), ("tensorflow", "which needs no conversion")]
)
def test_convert_loads_each_preset_and_says_what_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, kept: str
) -> None:
    """A load leaves everything in the cache; one that fails does not keep the others back."""

    def load(_: ModelStore, name: str) -> SimpleNamespace:
        if name == "broken":
            message = "It is broken; mend it."
            raise ModelLoadError(message)
        notice = "It runs on tensorflow, which is slower." if name == "slow" else None
        facts = SimpleNamespace(precision="float32", notice=notice)
        return SimpleNamespace(engine=engine, facts=facts)

    monkeypatch.setattr(ModelStore, "load", load)
    result = invoke("convert", "broken", "whole", FILLMASK_CACHE_DIR=str(tmp_path / "cache"))
    assert result.exit_code == 1
    assert result.stderr == "broken: It is broken; mend it.\n"
    assert result.stdout.startswith(f"whole: {engine} in float32, {kept}")
    assert invoke("convert", "whole", FILLMASK_CACHE_DIR=str(tmp_path / "cache")).exit_code == 0
    unconverted = invoke("convert", "slow", FILLMASK_CACHE_DIR=str(tmp_path / "cache"))
    assert unconverted.exit_code == 1
    assert unconverted.stderr == "slow: It runs on tensorflow, which is slower.\n"


def test_convert_wants_a_place_to_write_to(tmp_path: Path) -> None:
    """A cache that nothing can be put into is said before anything is read."""
    (tmp_path / "file").touch()
    result = invoke("convert", EMBEDDED, FILLMASK_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert result.exit_code == 1
    assert "let FILLMASK_CACHE_DIR name a directory that can" in result.output

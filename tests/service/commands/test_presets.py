"""`fillmask presets`, without a hub."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from model_store.errors import ModelLoadError, PresetUnavailableError
from model_store.fetching.catalog import EMBEDDED
from model_store.fetching.preset_files import PROOF_FILE
from model_store.fetching.resolver import Progress
from model_store.loading.proving.head_proof import HeadProof
from model_store.store import ModelStore
from service.commands.cli import app

PROOF = HeadProof("english", -0.7, uniform=-10.3, shuffled=-17.4)


def invoke(*arguments: str, **environment: str) -> Result:
    """Run the command with settings of its own."""
    return CliRunner().invoke(app, ["presets", *arguments], env=environment, prog_name="fillmask")


def test_list_says_what_is_here(tmp_path: Path) -> None:
    """Name, whether the files are here, and where they come from."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    lines = invoke("list", FILLMASK_MODEL_STORE_DIR=str(tmp_path)).output.splitlines()
    listed = [line.split() for line in lines]
    assert [EMBEDDED, "here", "bert", "embedded"] in listed
    source = "kaggle://keras/bert/keras/bert_base_zh"
    assert ["bert_base_zh", "to", "pull", "bert", source] in listed
    assert ["mine", "here", "-", "directory"] in listed
    assert any(line[:3] == ["bert_tiny_en_uncased_sst2", "no", "head"] for line in listed)


def test_list_says_what_is_ignored_and_why(tmp_path: Path) -> None:
    """Apart from the list, which programs may read."""
    (tmp_path / "my preset").mkdir()
    (tmp_path / "my preset" / "config.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    result = invoke("list", FILLMASK_MODEL_STORE_DIR=str(tmp_path))
    assert "my preset" not in result.stdout
    empty, odd = result.stderr.splitlines()
    assert empty == "empty is ignored: It has no config.json and no bert_config.json."
    assert odd.startswith("my preset is ignored: A preset's name has up to 128 characters: letters")


def test_only_the_presets_that_are_allowed_are_listed(tmp_path: Path) -> None:
    """As the server lists them."""
    result = invoke("list", FILLMASK_MODEL_STORE_DIR=str(tmp_path), FILLMASK_PRESETS=EMBEDDED)
    assert [line.split()[0] for line in result.stdout.splitlines()] == [EMBEDDED]


@pytest.mark.parametrize(
    ("name", "kept_as"), [("bert_base_zh", "bert_base_zh"), ("hf://a/b@c", "a--b--c")]
)
def test_what_is_not_allowed_is_not_pulled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kept_as: str
) -> None:
    """It could never be served; the sentence says under which name it would be."""
    monkeypatch.delattr("service.commands.presets.resolve")
    store = str(tmp_path)
    result = invoke("pull", name, FILLMASK_MODEL_STORE_DIR=store, FILLMASK_PRESETS=EMBEDDED)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{name}: FILLMASK_PRESETS leaves out {kept_as}; add it")


def test_what_is_allowed_is_pulled(tmp_path: Path) -> None:
    """The embedded preset is always here."""
    store = str(tmp_path)
    result = invoke("pull", EMBEDDED, FILLMASK_MODEL_STORE_DIR=store, FILLMASK_PRESETS=EMBEDDED)
    assert result.exit_code == 0


def test_preset_that_is_not_allowed_is_not_verified(tmp_path: Path) -> None:
    """It is as if it were not there."""
    default = {"FILLMASK_PRESETS": "a", "FILLMASK_DEFAULT_PRESET": "a"}
    result = invoke("verify", EMBEDDED, FILLMASK_MODEL_STORE_DIR=str(tmp_path), **default)
    assert result.output.startswith("Error: There is no preset of that name")


@pytest.mark.parametrize("command", [("list",), ("pull", EMBEDDED)], ids=" ".join)
def test_misspelt_setting_is_named(command: tuple[str, ...]) -> None:
    """It changes nothing, so whoever set it should know."""
    result = invoke(*command, FILLMASK_MODEL_STORE="/", FILLMASK_XYZZY="1")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[:2] == [
        "Warning: FILLMASK_MODEL_STORE is no setting; did you mean FILLMASK_MODEL_STORE_DIR?",
        "Warning: FILLMASK_XYZZY is no setting.",
    ]


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
    monkeypatch.setattr(ModelStore, "keep_proof", lambda _self, _name, _proof: Path("kept.json"))
    result = invoke("verify", EMBEDDED)
    assert result.exit_code == status
    assert f"{word} on english" in result.output
    assert "uniform -10.30, shuffled -17.40" in result.output
    assert result.output.endswith("\nStored in kept.json.\n")


def test_verify_leaves_the_package_as_it_is(
    monkeypatch: pytest.MonkeyPatch, embedded_preset_dir: Path
) -> None:
    """The embedded preset came with its proof; a checkout of the source stays clean."""
    monkeypatch.setattr(ModelStore, "verify", lambda _self, _name: PROOF)
    before = (embedded_preset_dir / PROOF_FILE).read_bytes()
    result = invoke("verify", EMBEDDED)
    assert (embedded_preset_dir / PROOF_FILE).read_bytes() == before
    assert result.exit_code == 0
    assert result.output.endswith("\nNot stored: the package brings its own proof.\n")


def test_verify_says_that_it_could_not_store_the_proof(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it was asked for is done by half, and the status says so."""
    (tmp_path / "mine" / PROOF_FILE).mkdir(parents=True)
    (tmp_path / "mine" / "config.json").write_text("{}")
    monkeypatch.setattr(ModelStore, "verify", lambda _self, _name: PROOF)
    result = invoke("verify", "mine", FILLMASK_MODEL_STORE_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert "mine: verified on english" in result.stdout
    assert result.stderr.startswith("Error: ")
    assert result.stderr.endswith(" cannot be used: Is a directory.\n")
    assert not (tmp_path / "mine" / f".{PROOF_FILE}").exists()


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
        notice = "slow runs on tensorflow, which is slower." if name == "slow" else None
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
    assert unconverted.stderr == "slow runs on tensorflow, which is slower.\n"


def test_convert_wants_a_place_to_write_to(tmp_path: Path) -> None:
    """A cache that nothing can be put into is said before anything is read."""
    (tmp_path / "file").touch()
    result = invoke("convert", EMBEDDED, FILLMASK_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert result.exit_code == 1
    assert "let FILLMASK_CACHE_DIR name a directory that can" in result.output


def test_list_says_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One unreadable directory keeps nothing else from being listed."""
    (tmp_path / "mine").mkdir()
    is_file = Path.is_file

    def refuse(path: Path) -> bool:
        if path.parent.name == "mine":
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refuse)
    result = invoke("list", FILLMASK_MODEL_STORE_DIR=str(tmp_path))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].split() == ["mine", "unknown", "-", "directory"]
    assert result.stderr.startswith(f"mine: {tmp_path}/mine/config.json cannot be used")


def test_list_says_that_the_store_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and not for every preset that could lie in it."""

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    result = invoke("list", FILLMASK_MODEL_STORE_DIR=str(tmp_path))
    assert result.exit_code == 0
    assert result.stderr.startswith(f"{tmp_path} cannot be used (Permission denied)")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["google-bert/bert-base-german-cased", "user/name@main"])
def test_pull_of_a_bare_repository_says_how_to_write_it(name: str) -> None:
    """As people copy it from the hub's page."""
    result = invoke("pull", name)
    assert result.exit_code == 1
    assert result.stderr.endswith(f"for that repository on Hugging Face, say hf://{name}.\n")


@pytest.mark.parametrize("name", ["no_such_preset", "./user/name", "a/b/c", "/a/b"])
def test_pull_of_anything_else_says_where_the_names_are(name: str) -> None:
    """It may be misspelt, or a directory that is not there."""
    result = invoke("pull", name)
    assert result.exit_code == 1
    assert result.stderr.endswith("; `fillmask presets list` lists the names.\n")


def test_remove_takes_the_files_away(tmp_path: Path) -> None:
    """Those of one preset, and nothing of a directory that is linked."""
    for name in ("mine", "yours"):
        (tmp_path / "store" / name).mkdir(parents=True)
        (tmp_path / "store" / name / "config.json").write_text("{}")
    (tmp_path / "store" / "yours").rename(tmp_path / "elsewhere")
    (tmp_path / "store" / "yours").symlink_to(tmp_path / "elsewhere")
    store = str(tmp_path / "store")
    result = invoke("remove", "mine", "yours", FILLMASK_MODEL_STORE_DIR=store)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"mine: {store}/mine is removed."
    assert list((tmp_path / "store").iterdir()) == []
    assert (tmp_path / "elsewhere" / "config.json").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (EMBEDDED, "It comes with the package and stays; FILLMASK_PRESETS can leave it out."),
        ("bert_base_zh", "There is nothing to remove: its files are not here."),
        ("nobody", "There is no preset of that name"),
    ],
)
def test_remove_says_why_it_does_not(
    tmp_path: Path, embedded_preset_dir: Path, name: str, sentence: str
) -> None:
    """And goes on with the others."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    result = invoke("remove", name, "mine", FILLMASK_MODEL_STORE_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{name}: {sentence}")
    assert not (tmp_path / "mine").exists()
    assert (embedded_preset_dir / "config.json").exists()

"""The image, built by the Dockerfile's own steps and run as Docker would run it.

User 10001, a read-only root, 64 MB in /dev/shm, no network. Only the system's programs and the
isolation itself are not Docker's.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest

from contract.documents import ROOT, code_blocks
from fake_hub import FakeHub, read_files
from front_door.container import Container, run_in_container, start_container
from front_door.image import Image, build
from front_door.newcomer import arrive
from model_store.fetching.catalog import EMBEDDED

pytestmark = pytest.mark.front_door

OWN = "my-model"
LITTER = ("service/__pycache__/app.cpython-311.pyc", ".env", "models/key.txt", "tests/secret.txt")
"""What lies about where an image is built, and is none of its files."""

MEMORY = {"/proc", "/dev", "/dev/shm"}  # noqa: S108  # where a container has it
DEVICES = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")}


@dataclass(frozen=True, slots=True)
class Volumes:
    """Both volumes of a container."""

    models: Path
    cache: Path

    @property
    def by_target(self) -> dict[str, Path]:
        """Where they are mounted."""
        return {"/models": self.models, "/var/cache/fillmask": self.cache}

    def conversions(self) -> dict[str, int]:
        """Return every converted model, and when it was written."""
        found = sorted(self.cache.glob("converted/*/model.bin"))
        return {str(path): path.stat().st_mtime_ns for path in found}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the Dockerfile makes of a fresh clone."""
    directory = tmp_path_factory.mktemp("image")
    clone = arrive(directory).clone
    for litter in LITTER:
        (clone / litter).parent.mkdir(exist_ok=True)
        (clone / litter).write_text("never in an image")
    return build(clone, directory)


@pytest.fixture
def volumes(image: Image, tmp_path: Path) -> Volumes:
    """New ones, and a preset of our own among the models: 91 MB when it is converted."""
    made = Volumes(tmp_path / "models", tmp_path / "cache")
    for target, path in made.by_target.items():
        image.make_volume(target, path)
    own = copytree(ROOT / "model_store/presets" / EMBEDDED, made.models / OWN)
    with (own / "config.json").open("a") as file:
        file.write("\n")  # other bytes, so another conversion
    return made


def test_image_answers_at_once_and_ends_well(
    image: Image, volumes: Volumes, tmp_path: Path
) -> None:
    """The embedded preset answers as the README prints, nothing is converted, SIGTERM gives 0."""
    before = volumes.conversions()
    assert len(before) == 1
    with start_container(image, volumes.by_target, tmp_path / "log") as container:
        assert "<title>fillmask</title>" in container.read("/")
        assert container.read("/page/main.js") == (ROOT / "service/page/main.js").read_text()
        answer = container.fill(EMBEDDED)
        printed, *_ = code_blocks("README.md", "json")
        assert words(answer) == words(json.loads(printed))
        assert container.is_healthy()
        assert container.end() == 0
    assert volumes.conversions() == before


def test_image_has_the_files_that_docker_is_sent(image: Image) -> None:
    """The packages to the last file, and nothing of what lies about."""
    (installed,) = image.root.glob("opt/fillmask/lib/python3*/site-packages")
    for package in ("service", "model_store", "fillmask"):
        assert list_files(installed / package) == list_files(ROOT / package)
    sent = image.root.parent / "context"
    assert (sent / "README.md").exists()
    assert [litter for litter in LITTER if (sent / litter).exists()] == []


def test_process_has_no_rights(image: Image, volumes: Volumes, tmp_path: Path) -> None:
    """User and group 10001, no capability, nothing to gain any by, and a root that is read-only."""
    with start_container(image, volumes.by_target, tmp_path / "log") as container:
        status, mounts = container.read_status(), container.read_mounts()
        assert status["Uid"].split() == status["Gid"].split() == ["10001"] * 4
        assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
        assert status["NoNewPrivs"] == "1"
        writable = {place for place, options in mounts.items() if options.startswith("rw")}
        assert mounts["/"].startswith("ro")
        assert writable == {*image.stage.volumes, *MEMORY, *DEVICES}
        assert "process_resident_memory_bytes " in container.read_metrics()
        assert container.end() == 0


def test_own_preset_is_converted_served_and_there_after_a_restart(
    image: Image, volumes: Volumes, tmp_path: Path
) -> None:
    """It is larger than /dev/shm. The second start finds it converted."""
    before = volumes.conversions()
    with start_container(image, volumes.by_target, tmp_path / "first.log") as container:
        first = container.fill(OWN)
        assert words(first) == words(container.fill(EMBEDDED))
        assert engines(container) == {EMBEDDED: "openvino", OWN: "openvino"}
        assert container.end() == 0
    converted = volumes.conversions()
    assert len(converted) == len(before) + 1
    with start_container(image, volumes.by_target, tmp_path / "second.log") as container:
        assert container.fill(OWN) == first
        assert container.end() == 0
    assert volumes.conversions() == converted


def test_prepared_server_writes_nothing(image: Image, volumes: Volumes, tmp_path: Path) -> None:
    """After `presets convert`, both volumes may be read-only."""
    command = ["fillmask", "presets", "convert", OWN, EMBEDDED]
    prepared = run_in_container(image, volumes.by_target, command, {})
    assert prepared.returncode == 0, prepared.stderr
    before = read_tree(volumes.cache)
    log = tmp_path / "log"
    with start_container(image, volumes.by_target, log, access="ro") as container:
        assert words(container.fill(OWN)) == words(container.fill(EMBEDDED))
        assert engines(container) == {EMBEDDED: "openvino", OWN: "openvino"}
        assert container.end() == 0
    assert read_tree(volumes.cache) == before


def test_disk_that_is_too_full_is_said(image: Image, volumes: Volumes, tmp_path: Path) -> None:
    """Without a place for it, a conversion goes to /dev/shm, which is too small for this one."""
    log, env = tmp_path / "log", {"FILLMASK_ENGINE": "openvino"}
    with start_container(image, volumes.by_target, log, access="ro", **env) as container:
        refused = container.fill(OWN)
        assert refused["code"] == "model_load_failed"
        assert "it needs 91 MB and /dev/shm has " in refused["error"]
        assert words(container.fill(EMBEDDED))


def test_health_check_needs_no_key(image: Image, volumes: Volumes, tmp_path: Path) -> None:
    """Where probes want one, the refusal tells that the server is alive."""
    log, env = tmp_path / "log", {"FILLMASK_API_KEYS": "key", "FILLMASK_OPEN_PROBES": "false"}
    with start_container(image, volumes.by_target, log, **env) as container:
        assert container.get("/healthz")["code"] == "unauthorized"
        assert "code" not in container.get("/healthz", key="key")
        assert container.is_healthy()


def test_presets_are_fetched_into_the_volumes(
    image: Image, volumes: Volumes, tiny_preset_dir: Path, hub: FakeHub, tmp_path: Path
) -> None:
    """From both hubs, whose libraries keep what they keep in the volumes too."""
    files = read_files(tiny_preset_dir)
    hub.repositories["user/tiny"] = files
    hub.models["user/bert/keras/tiny"] = files
    ours = {"HOME", "HF_HOME", "KAGGLEHUB_CACHE", "KAGGLE_CONFIG_DIR"}
    env = {k: v for k, v in hub.environment(tmp_path).items() if k not in ours}
    handles = ["hf://user/tiny", "kaggle://user/bert/keras/tiny"]
    pulled = run_in_container(
        image, volumes.by_target, ["fillmask", "presets", "pull", *handles], env
    )
    assert pulled.returncode == 0, pulled.stderr
    assert len(list(volumes.models.glob("user--*/config.json"))) == 2


def list_files(package: Path) -> set[str]:
    """Return the files of a package that its wheel has."""
    return {
        str(path.relative_to(package))
        for path in package.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }


def words(answer: dict[str, object]) -> list[str]:
    """Return the predicted words of an answer to one text with one mask."""
    assert "results" in answer, answer
    ((result,),) = [answer["results"]]  # type: ignore[misc]
    return [prediction["token_str"] for prediction in result["masks"][0]["predictions"]]


def engines(container: Container) -> dict[str, str]:
    """Return what runs each loaded preset: a slower engine would answer as well."""
    presets = container.get("/presets")["presets"]
    return {preset["name"]: preset["engine"] for preset in presets if preset["engine"]}


def read_tree(directory: Path) -> dict[str, int]:
    """Return every file below a directory, and when it was written."""
    return {str(path): path.stat().st_mtime_ns for path in sorted(directory.rglob("*"))}

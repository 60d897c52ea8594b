"""`fillmask doctor` on machines of every kind: the right advice on each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.commands.doctor.advice import write_bytes
from service.commands.doctor.doctor import examine
from service.commands.doctor.machine import Machine

from .machines import GIB, make_machine, write_json

NVIDIA = "/dev/nvidiactl"
RUN = "run `pip install -r requirements/run.txt`."


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[tuple[str, str]]]:
    """Return what looks at a machine with settings, and returns what is found."""
    monkeypatch.setenv("FILLMASK_MODEL_STORE_DIR", str(tmp_path))

    def look(machine: Machine, **settings: str) -> list[tuple[str, str]]:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return [(finding.level, finding.sentence) for finding in examine(machine)[1]]

    return look


def test_healthy_machine_is_left_alone(look: Any) -> None:
    """No GPU, no trouble."""
    assert look(make_machine()) == []


@pytest.mark.parametrize(
    ("machine", "sentence"),
    [
        (
            {"installed": {"openvino": None}},
            f"OpenVINO is not installed, so models run on tensorflow, which is slower; {RUN}",
        ),
        (
            {"installed": {"openvino": None, "tensorflow-cpu": None}},
            f"No engine is installed; {RUN}",
        ),
        (
            {"installed": {"tensorflow-cpu": "2.20.0"}},
            ("tensorflow-cpu 2.20.0 is installed, and fillmask needs tensorflow-cpu<2.22,>=2.21; "
            "run `pip install 'tensorflow-cpu<2.22,>=2.21'`."),
        ),
        (
            {"installed": {"keras": None}},
            ("keras is not installed, and fillmask needs keras<4,>=3.15; "
            "run `pip install 'keras<4,>=3.15'`."),
        ),
        (
            {"devices": (NVIDIA,)},
            (f"{NVIDIA} is here, and tensorflow-cpu does not use it; run `pip install -r "
            "requirements/gpu.txt`, or set FILLMASK_ENGINE=openvino."),
        ),
        (
            {"devices": (NVIDIA,), "environment": {"KERAS_BACKEND": "torch"}},
            ("Models would run on torch, which is not installed; install it, or set "
            "FILLMASK_ENGINE or KERAS_BACKEND to what is."),
        ),
        (
            {"explain_import": {"openvino": "it ends with the status -4"}.get},
            ("openvino is installed and cannot be imported (it ends with the status -4); install "
            "it anew, or set FILLMASK_ENGINE to another engine."),
        ),
        (
            {"available": 200 * 1024**2},
            ("Only 200.0 MiB of memory are free; end what needs it, or give this machine 1.0 GiB "
            "more."),
        ),
        (
            {"files": {"/sys/fs/cgroup/memory.max": f"{9 * GIB}\n",
                       "/sys/fs/cgroup/memory.current": f"{8 * GIB + 1024**2}\n"}},
            ("Only 1023.0 MiB of memory are free; end what needs it, or give this machine 1.0 GiB "
            "more."),
        ),
        (
            {"environment": {"FILLMASK_PROT": "1"}},
            "FILLMASK_PROT is no setting and changes nothing; did you mean FILLMASK_PORT?",
        ),
        (
            {"environment": {"FILLMASK_XYZZY": "1"}},
            "FILLMASK_XYZZY is no setting and changes nothing; unset it.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_comes_with_what_to_do(
    look: Any, machine: dict[str, Any], sentence: str
) -> None:
    """One sentence, and no other."""
    assert look(make_machine(**machine)) == [("wrong", sentence)]


@pytest.mark.parametrize(
    ("free", "beginning", "end"),
    [
        (0, "Only 0 B are free for ", "name another disk."),
        (None, "Nothing can be written to ", "name a directory that can be written to."),
    ],
)
def test_full_disk_is_said_of_each_directory(
    look: Any, tmp_path: Path, free: int | None, beginning: str, end: str
) -> None:
    """With the setting that names it."""
    store, cache = look(make_machine(free=free), FILLMASK_CACHE_DIR=str(tmp_path / "cache"))
    assert store[1].startswith(f"{beginning}{tmp_path}")
    assert "FILLMASK_MODEL_STORE_DIR" in store[1]
    assert "FILLMASK_CACHE_DIR" in cache[1]
    assert {store[0], cache[0]} == {"wrong"}
    assert cache[1].endswith(end)


def test_no_network_is_a_note_where_nothing_is_to_be_fetched(look: Any) -> None:
    """The embedded preset answers without one."""
    [(level, sentence)] = look(make_machine(is_connected=False))
    assert level == "note"
    assert sentence.endswith("set FILLMASK_OFFLINE=true.")


def test_no_network_is_wrong_where_a_preset_has_to_be_fetched(look: Any) -> None:
    """It would never be ready."""
    preset = {"FILLMASK_DEFAULT_PRESET": "bert_base_zh"}
    assert look(make_machine(), **preset) == []
    [(level, sentence)] = look(make_machine(is_connected=False), **preset)
    assert level == "wrong"
    assert sentence.startswith("bert_base_zh would be fetched, and no hub can be reached; mend")


@pytest.mark.parametrize("told", [{"FILLMASK_OFFLINE": "true"}, {"HTTPS_PROXY": "http://p:1"}])
def test_hubs_are_not_tried_where_that_tells_nothing(look: Any, told: dict[str, str]) -> None:
    """Somebody said so, or a proxy is between."""
    assert look(make_machine(is_connected=False, environment=told), **told) == []


def test_accelerator_with_its_runtime_is_left_alone(look: Any) -> None:
    """OpenVINO need not be there then."""
    installed = {"openvino": None, "tensorflow-cpu": None, "tensorflow": "2.21.0"}
    assert look(make_machine(installed=installed, devices=(NVIDIA,))) == []


def test_keras_file_names_its_backend(look: Any) -> None:
    """As Keras reads it; one that is broken names TensorFlow."""
    kept = {"KERAS_HOME": "/home/k"}
    named = {"/home/k/keras.json": '{"backend": "jax"}'}
    installed = {"openvino": None, "jax": "0.9"}
    [(_, sentence)] = look(make_machine(environment=kept, files=named, installed=installed))
    assert sentence.startswith("OpenVINO is not installed, so models run on jax,")
    broken = make_machine(environment=kept, files={"/home/k/keras.json": "["}, installed=installed)
    assert "run on tensorflow," in look(broken)[0][1]


def test_named_engine_is_the_one_that_is_tried(look: Any) -> None:
    """`auto` is not asked then; that it is missing is what a start would say."""
    reason = {"tensorflow": "No module named 'x'"}.get
    [(_, sentence)] = look(make_machine(explain_import=reason), FILLMASK_ENGINE="tensorflow")
    assert sentence.startswith("tensorflow is installed and cannot be imported (No module named")


def test_broken_preset_is_named_with_the_reason(look: Any, tmp_path: Path) -> None:
    """And every other one is looked at."""
    write_json(tmp_path / "mine")
    write_json(tmp_path / "yours", "{")
    (tmp_path / "empty").mkdir()
    mine, yours, empty = look(make_machine())
    assert mine[0] == yours[0] == "wrong"
    assert mine[1].startswith("The preset mine is broken: config.json is neither Transformers' ")
    assert yours[1].startswith("The preset yours is broken: ")
    assert empty == (
        "note",
        "The directory empty is ignored: It has no config.json and no bert_config.json.",
    )


def test_settings_that_are_refused_are_found_each(look: Any) -> None:
    """The rest is looked at all the same."""
    full = make_machine(free=0)
    port, workers, *rest = look(full, FILLMASK_PORT="x", FILLMASK_WORKERS="0")
    assert port[1].startswith("FILLMASK_PORT is not valid: ")
    assert workers[1].startswith("FILLMASK_WORKERS is not valid: ")
    assert [level for level, _ in rest] == ["wrong", "wrong"]


def test_what_ends_a_start_is_found(look: Any) -> None:
    """In the words of the start."""
    [(level, sentence)] = look(make_machine(), FILLMASK_DEFAULT_PRESET="no")
    assert level == "wrong"
    assert sentence.startswith("FILLMASK_DEFAULT_PRESET names no, which is no preset;")


def test_more_weights_than_memory_are_a_note(look: Any) -> None:
    """One preset may do all the same."""
    [(level, sentence)] = look(make_machine(memory=4 * GIB, available=3 * GIB))
    assert level == "note"
    assert sentence.endswith(f"if you serve several presets, set it to {2 * GIB}.")


def test_machine_that_tells_little_is_no_trouble(look: Any) -> None:
    """Not every system has these files."""
    assert look(make_machine(files={"/proc/meminfo": "", "/proc/cpuinfo": ""})) == []


@pytest.mark.parametrize(
    ("count", "written"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (GIB, "1.0 GiB"), (2048 * GIB, "2048.0 GiB")],
)
def test_bytes_are_written_for_people(count: int, written: str) -> None:
    """In units that are read at a glance."""
    assert write_bytes(count) == written

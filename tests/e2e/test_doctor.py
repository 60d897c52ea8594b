"""`fillmask doctor` as people run it, on machines that really lack something."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.documents import ROOT
from lock_files import command_in, link_environment, read_lock

TIMEOUT_S = 600
FULL_DISK = """
import shutil
shutil.disk_usage = lambda _: (2**30, 2**30 - 4096, 4096)
"""
"""Where no file system can be mounted: the system's answer of one that is full."""

NO_NETWORK = """
import socket
def refuse(*_, **__):
    raise socket.gaierror(-3, "Temporary failure in name resolution")
socket.getaddrinfo = refuse
"""
"""What every connection of a machine ends with that has no network."""


def consult(
    tmp_path: Path, *, modules: Path | None = None, python: str = "", **env: str
) -> tuple[int, dict[str, Any], str]:
    """Run it in a pipe and return its status, its report, and what it wrote to stderr.

    Args:
        tmp_path: an empty home.
        modules: the only place where modules are, if not this environment.
        python: what that Python runs before anything else.
        env: settings.
    """
    home = tmp_path / "home"
    home.mkdir()
    plain = [sys.executable], {"PYTHONPATH": str(ROOT)}
    command, variables = command_in(modules) if modules else plain
    if python:
        (tmp_path / "first").mkdir()
        (tmp_path / "first" / "sitecustomize.py").write_text(python)
        variables["PYTHONPATH"] = f"{tmp_path / 'first'}:{ROOT}"
    done = subprocess.run(  # noqa: S603  # our own command
        [*command, "-m", "service.commands", "doctor"],
        env={"HOME": str(home), "PATH": "", "FILLMASK_OFFLINE": "true", **variables, **env},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def wrong(report: dict[str, Any]) -> list[str]:
    """Return the sentences of what is wrong, but for what this very machine may lack."""
    return [
        finding["sentence"]
        for finding in report["findings"]
        if finding["level"] == "wrong" and "of memory" not in finding["sentence"]
    ]


@contextmanager
def full_disk(place: Path) -> Iterator[str]:
    """Make a directory of a full file system; return what Python has to run where none can be."""
    place.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if not mount or subprocess.run([mount, *options], check=False, capture_output=True).returncode:  # noqa: S603
        yield FULL_DISK
        return
    try:
        with pytest.raises(OSError, match="No space left"):
            (place / "filling").write_bytes(b"0" * 2**20)
        yield ""
    finally:
        subprocess.run([mount.replace("mount", "umount"), str(place)], check=True)  # noqa: S603


def test_empty_home_and_no_programs_are_enough(tmp_path: Path) -> None:
    """It changes nothing in either."""
    status, report, said = consult(tmp_path)
    assert wrong(report) == []
    assert status == 0 or report["findings"]
    assert said == ""
    assert report["auto"]["engine"] in report["engines"]
    assert report["presets"]["minilm_l6_en_uncased"] is None
    assert all(place["path"].startswith(str(tmp_path)) for place in report["places"])
    assert list((tmp_path / "home").iterdir()) == []


def test_full_disk_is_found(tmp_path: Path) -> None:
    """With the setting that could name another one."""
    with full_disk(tmp_path / "full") as python:
        cache = str(tmp_path / "full" / "cache")
        status, report, _ = consult(tmp_path, python=python, FILLMASK_CACHE_DIR=cache)
    assert status == 1
    assert wrong(report)[-1].startswith("Only ")
    assert wrong(report)[-1].endswith("or let FILLMASK_CACHE_DIR name another disk.")


def test_missing_engine_is_found(tmp_path: Path) -> None:
    """In an environment without OpenVINO, and with a misspelt setting."""
    modules = tmp_path / "modules"
    link_environment({*read_lock("run.txt"), "fillmask"} - {"openvino"}, modules)
    status, report, _ = consult(tmp_path, modules=modules, FILLMASK_PROT="1")
    assert status == 1
    engine, setting = wrong(report)
    assert engine.startswith("OpenVINO is not installed, so models run on tensorflow, which is ")
    assert setting.endswith("did you mean FILLMASK_PORT?")


def test_wrong_tensorflow_is_found(tmp_path: Path) -> None:
    """As its own metadata have it."""
    modules = tmp_path / "modules"
    link_environment({*read_lock("run.txt"), "fillmask"}, modules)
    for metadata in modules.glob("tensorflow_cpu-*"):
        metadata.unlink()
    old = modules / "tensorflow_cpu-2.19.0.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: tensorflow-cpu\nVersion: 2.19.0\n")
    status, report, _ = consult(tmp_path, modules=modules)
    assert status == 1
    [sentence] = wrong(report)
    assert sentence.startswith("tensorflow-cpu 2.19.0 is installed, and fillmask needs tensorflow")
    assert "run `pip install 'tensorflow-cpu<2.22,>=2.21'`" in sentence


def test_no_network_is_found(tmp_path: Path) -> None:
    """A preset that has to be fetched will not come."""
    env = {"FILLMASK_OFFLINE": "false", "FILLMASK_DEFAULT_PRESET": "bert_base_zh"}
    status, report, _ = consult(tmp_path, python=NO_NETWORK, **env)
    assert status == 1
    assert report["hubs"] == {"huggingface.co": False, "www.kaggle.com": False}
    assert wrong(report)[0].startswith("bert_base_zh would be fetched, and no hub can be reached;")


def test_broken_preset_is_found(tmp_path: Path, tiny_preset_dir: Path) -> None:
    """Half of a file is a file all the same."""
    store = tmp_path / "store"
    for name in ("whole", "half"):
        shutil.copytree(tiny_preset_dir, store / name)
    weights = max((store / "half").iterdir(), key=lambda file: file.stat().st_size)
    os.truncate(weights, weights.stat().st_size // 2)
    status, report, _ = consult(tmp_path, FILLMASK_MODEL_STORE_DIR=str(store))
    assert status == 1
    assert report["presets"]["whole"] is None
    [sentence] = wrong(report)
    assert sentence.startswith("The preset half is broken: ")

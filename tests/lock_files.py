"""The lock files: what they hold for this machine, and an environment that holds just that."""

import re
import sys
import sysconfig
from collections import defaultdict
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from contract.documents import ROOT

_STAND_INS = {"tensorflow": "tensorflow-cpu"}
"""What the tests have in place of a package: the same modules, without the libraries of CUDA."""


def read_lock(name: str, directory: Path = ROOT / "requirements") -> dict[str, str]:
    """Return what a lock installs on this machine: versions by canonical names."""
    lines = re.findall(r"^[A-Za-z0-9][^\\\n]*", (directory / name).read_text("utf-8"), re.MULTILINE)
    pins = [Requirement(line) for line in lines]
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


def link_environment(packages: set[str], directory: Path) -> set[str]:
    """Make a directory of modules out of those of this environment that some packages brought.

    With it as its only path, Python is as though nothing else had been installed.

    Returns:
        The packages that are not installed here, so that they are not in the directory either.
    """
    wanted = {_STAND_INS.get(name, name) for name in packages}
    owners: defaultdict[Path, set[str]] = defaultdict(set)
    files: dict[str, list[Path]] = {}
    for distribution in distributions():
        name = canonicalize_name(distribution.name)
        if name in wanted:
            files[name] = _list_files(distribution)
            for path in files[name]:
                owners[Path(path.parts[0])].add(name)
    site = Path(sysconfig.get_path("purelib"))
    directory.mkdir()
    for top, sharing in owners.items():
        if len(sharing) == 1:
            (directory / top).symlink_to(site / top)
    for path in (path for listed in files.values() for path in listed):
        if len(owners[Path(path.parts[0])]) > 1:
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).symlink_to(site / path)
    return wanted - set(files)


def command_in(environment: Path) -> tuple[list[str], dict[str, str]]:
    """Return the beginning of a command that runs in a linked environment, and its variables."""
    return [sys.executable, "-S"], {"PYTHONPATH": f"{environment}:{ROOT}"}


def _list_files(distribution: Distribution) -> list[Path]:
    return [
        Path(file)
        for file in distribution.files or ()
        if file.parts[0] not in {"..", "__pycache__"} and file.suffix != ".pyc"
    ]

"""The Dockerfile's own steps, done without Docker: each stage in a root directory of its own.

A root has the system's programs from here, read-only, in place of those of the base image. All else
is as Docker does it: every COPY, RUN and ENV, volumes that begin with what the image holds, a user,
namespaces for processes, mounts and the network. It takes root, and the right to mount.
"""

import os
import shutil
import string
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from dockerfile import Stage, read_stages
from front_door.newcomer import log, network_environment

_ENTER = Path(__file__).with_name("enter.sh")
_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
_EMPTY = ("usr", "proc", "dev", "opt", "var/cache", "root", "run")
_PYTHON = Path(sys.base_prefix)
_PATH = f"{_PYTHON}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/python"


@dataclass(frozen=True, slots=True)
class Image:
    """What was built: a root directory, and the stage of the Dockerfile that says how it runs."""

    root: Path
    stage: Stage

    @property
    def environment(self) -> dict[str, str]:
        """All that its processes know."""
        return _expand(self.stage.environment, {"PATH": _PATH})

    def make_volume(self, target: str, directory: Path) -> Path:
        """Make a new volume for a directory of the image, which it begins with."""
        subprocess.run(["/bin/cp", "-a", f"{self.root}{target}", directory], check=True)  # noqa: S603
        return directory


def build(clone: Path, directory: Path) -> Image:
    """Do every step of the Dockerfile, with the files of a clone that Docker would be sent."""
    context = _send(clone, directory / "context")
    roots: dict[str, Path] = {}
    for number, stage in enumerate(read_stages()):
        root = directory / f"stage-{number}"
        _make_root(root)
        _build_stage(stage, root, context, roots)
        roots[stage.name] = root
    return Image(root, stage)


def enter_command(
    root: Path, access: str, user: str, volumes: list[str], command: list[str]
) -> list[str]:
    """Return what runs a command in a root; the caller makes the namespaces before it."""
    arguments = [str(root), str(_PYTHON), access, user, *volumes, "--", *command]
    return ["/bin/bash", str(_ENTER), *arguments]


def _send(clone: Path, context: Path) -> Path:
    """Copy what .dockerignore lets through: nothing but its exceptions, less what it names then."""
    first, *lines = (
        line
        for line in (clone / ".dockerignore").read_text("utf-8").splitlines()
        if line[:1] != "#"
    )
    assert first == "*"
    kept = [line[1:] for line in lines if line.startswith("!")]
    dropped = [line.removeprefix("**/") for line in lines if line.startswith("**/")]
    assert len(kept) + len(dropped) == len(lines), "a pattern of another form"
    for path in kept:
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        if (clone / path).is_dir():
            ignore = shutil.ignore_patterns(*dropped)
            shutil.copytree(clone / path, context / path, symlinks=True, ignore=ignore)
        else:
            shutil.copy(clone / path, context / path)
    return context


def _build_stage(stage: Stage, root: Path, context: Path, roots: dict[str, Path]) -> None:
    variables: dict[str, str] = {"PATH": _PATH}
    workdir = "/"
    for word, rest in stage.instructions:
        if word == "WORKDIR":
            workdir = rest
            (root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "ARG":
            name, _, value = rest.partition("=")
            variables[name] = value
        elif word == "ENV":
            variables |= _expand(dict(pair.split("=", 1) for pair in rest.split()), variables)
        elif word == "COPY":
            _copy(rest, root, workdir, context, roots)
        elif word == "RUN":
            _run(rest, root, workdir, variables)
        else:
            assert word in {"USER", "EXPOSE", "VOLUME", "HEALTHCHECK", "STOPSIGNAL", "CMD"}, word


def _run(script: str, root: Path, workdir: str, variables: dict[str, str]) -> None:
    log.info("RUN %s", script)
    pairs = [f"{name}={value}" for name, value in (network_environment() | variables).items()]
    command = ["/usr/bin/env", "-i", *pairs, "/bin/sh", "-c", f"cd {workdir} && {script}"]
    # The network is that of the outside: packages are fetched.
    done = subprocess.run(  # noqa: S603  # what the Dockerfile says
        ["/usr/bin/unshare", "--mount", *enter_command(root, "rw", "root", [], command)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"RUN {script}\n{done.stdout}\n{done.stderr}"


def _copy(line: str, root: Path, workdir: str, context: Path, roots: dict[str, Path]) -> None:
    log.info("COPY %s", line)
    words = line.split()
    options = dict(word.removeprefix("--").split("=") for word in words if word.startswith("--"))
    *sources, target = (word for word in words if not word.startswith("--"))
    origin = roots[options["from"]] if "from" in options else context
    destination = root / Path(workdir, target).relative_to("/")
    for source in sources:
        path = origin / source.lstrip("/")
        if path.is_dir():
            shutil.copytree(path, destination, symlinks=True, dirs_exist_ok=True)
        else:
            into = target.endswith("/") or len(sources) > 1
            (destination if into else destination.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, destination)
    if "chown" in options:
        subprocess.run(  # noqa: S603  # as above
            ["/bin/chown", "--recursive", options["chown"], str(destination)], check=True
        )


def _make_root(root: Path) -> None:
    """Make what a base image has: the system's programs are mounted when it is entered."""
    for directory in _EMPTY:
        (root / directory).mkdir(parents=True)
    for link, target in _LINKS.items():
        (root / link).symlink_to(target)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    shutil.copytree("/etc", root / "etc", symlinks=True, ignore_dangling_symlinks=True)
    resolver = root / "etc/resolv.conf"
    resolver.unlink(missing_ok=True)
    resolver.write_bytes(Path("/etc/resolv.conf").read_bytes())
    (root / "python").mkdir()
    (root / "python/python").symlink_to(os.path.realpath(sys.executable))


def _expand(pairs: dict[str, str], known: dict[str, str]) -> dict[str, str]:
    return {name: string.Template(value).safe_substitute(known) for name, value in pairs.items()}

"""What kustomize makes of the files in deploy/kubernetes."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from contract.documents import ROOT

DIRECTORY = ROOT / "deploy" / "kubernetes"
COMPONENTS = sorted(path.name for path in (DIRECTORY / "components").iterdir())
OVERLAYS = sorted(
    str(path.parent.relative_to(DIRECTORY))
    for path in DIRECTORY.rglob("kustomization.yaml")
    if path.parent.parent.name != "components"
)
"""What can be applied as it is."""

SERVERS = ["deployment", "overlays/gpu"]
"""Those of them that run the server itself."""

NAMESPACE = "somewhere"
"""Another than that of the deployment: people may choose."""

Parts = dict[tuple[str, str], Any]
"""Objects by kind and name. What a hash follows has its name without it."""


@cache
def build(overlay: str) -> Parts:
    """Return the objects of what can be applied as it is."""
    return build_directory(DIRECTORY / overlay)


@cache
def compose(overlay: str, *components: str) -> Parts:
    """Return the objects of an overlay of somebody's own, which adds components to one of ours."""
    with TemporaryDirectory() as directory:
        here = os.path.relpath(DIRECTORY, Path(directory).resolve())
        written = {
            "namespace": NAMESPACE,
            "resources": [f"{here}/{overlay}"],
            "components": [f"{here}/components/{component}" for component in components],
        }
        Path(directory, "kustomization.yaml").write_text(yaml.safe_dump(written))
        return build_directory(Path(directory))


def build_directory(directory: Path) -> Parts:
    """Return the objects of a directory with a kustomization."""
    command = [str(Path(sys.executable).with_name("kubectl")), "kustomize", str(directory)]
    built = subprocess.run(  # noqa: S603  # a tool of the test group
        command, capture_output=True, text=True, timeout=600, check=False
    )
    assert (built.returncode, built.stderr) == (0, "")
    parts = list(yaml.safe_load_all(built.stdout))
    named = {(part["kind"], _without_hash(part)): part for part in parts}
    assert len(named) == len(parts)
    return named


def _without_hash(part: Any) -> str:
    name: str = part["metadata"]["name"]
    return name.rpartition("-")[0] if part["kind"] == "ConfigMap" else name


def deployment_of(parts: Parts) -> Any:
    """Return what the one deployment is to be."""
    return parts["Deployment", "fillmask"]["spec"]


def pod_of(parts: Parts) -> Any:
    """Return what each pod is."""
    return deployment_of(parts)["template"]["spec"]


def server_of(parts: Parts) -> Any:
    """Return the one container that serves."""
    (container,) = pod_of(parts)["containers"]
    return container


def settings_of(parts: Parts) -> dict[str, str]:
    """Return the variables that the server gets, all of them from one place."""
    (source,) = server_of(parts)["envFrom"]
    settings = parts["ConfigMap", "fillmask-settings"]
    assert source == {"configMapRef": {"name": settings["metadata"]["name"]}}
    data: dict[str, str] = settings["data"]
    return data

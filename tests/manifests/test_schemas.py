"""Whatever kustomize makes of deploy/kubernetes, a cluster takes."""

import json
from copy import deepcopy
from functools import cache
from itertools import combinations

import jsonschema
import kubernetes_validate
import pytest
from kubernetes_validate.utils import all_versions

from manifests.definitions import DEFINITIONS
from manifests.kustomize import COMPONENTS, OVERLAYS, Parts, build, compose

VERSIONS = all_versions()
ENDS = [VERSIONS[0], VERSIONS[-1]]
"""The oldest and the newest version of Kubernetes that there are schemas of."""


def complain(parts: Parts, version: str) -> list[str]:
    """Return what a version of Kubernetes has against some objects."""
    found = {name: check(json.dumps(part), version) for name, part in parts.items()}
    return [f"{kind} {name}: {error}" for (kind, name), error in found.items() if error]


@cache
def check(part: str, version: str) -> str | None:
    """Return why an object, as JSON, is refused, or None. Most are the same in several overlays."""
    loaded = json.loads(part)
    definition = DEFINITIONS.get(f"{loaded['apiVersion']} {loaded['kind']}")
    try:
        if definition:
            jsonschema.validate(loaded, definition)
        else:
            kubernetes_validate.validate(loaded, version, strict=True)
    except jsonschema.ValidationError as error:
        return f"{error.json_path}: {error.message}"
    return None


@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_applied_as_it_is_is_taken(overlay: str, version: str) -> None:
    """Every field is known, and every value of its type."""
    assert complain(build(overlay), version) == []


@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize(
    "components",
    [chosen for count in (1, len(COMPONENTS)) for chosen in combinations(COMPONENTS, count)],
    ids="+".join,
)
def test_components_fit_together(components: tuple[str, ...], version: str) -> None:
    """Each alone and all at a time, on the overlay that changes the most."""
    assert complain(compose("overlays/gpu", *components), version) == []


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("Deployment", "fillmask", ("spec", "replica"), 2),
        ("Service", "fillmask", ("spec", "ports", 0, "port"), "80"),
        ("ServiceMonitor", "fillmask", ("spec", "endpoint"), []),
        ("ServiceMonitor", "fillmask", ("spec", "endpoints", 0, "interval"), "often"),
    ],
)
def test_what_is_wrong_is_refused(
    kind: str, name: str, path: tuple[str | int, ...], value: object
) -> None:
    """A field that there is not, and a value that is none, in a kind of each sort."""
    part = deepcopy(compose("deployment", "prometheus")[kind, name])
    assert check(json.dumps(part), ENDS[-1]) is None
    *way, last = path
    holder = part
    for step in way:
        holder = holder[step]
    holder[last] = value
    assert check(json.dumps(part), ENDS[-1]) is not None

"""The manifest of docs/kubernetes.md fits the service: it is not run on a cluster."""

from typing import Any

import pytest
import yaml

from contract.documents import code_blocks
from dockerfile import read_stages
from service.app import create_app
from service.settings import Settings

PAGE = "docs/kubernetes.md"


@pytest.fixture
def parts() -> dict[str, Any]:
    """The objects of the manifest, by kind."""
    (block,) = code_blocks(PAGE, "yaml")
    return {part["kind"]: part for part in yaml.safe_load_all(block)}


@pytest.fixture
def pod(parts: dict[str, Any]) -> dict[str, Any]:
    """What each pod is."""
    spec: dict[str, Any] = parts["Deployment"]["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: dict[str, Any]) -> dict[str, Any]:
    """Its one container."""
    (only,) = pod["containers"]
    assert isinstance(only, dict)
    return only


def test_parts_find_each_other(parts: dict[str, Any], container: dict[str, Any]) -> None:
    """The labels are one, and the service leads to the port that the image listens on."""
    labels = parts["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert parts["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert parts["Service"]["spec"]["selector"] == labels
    (port,) = container["ports"]
    (served,) = parts["Service"]["spec"]["ports"]
    assert served["targetPort"] == port["name"]
    assert port["containerPort"] == Settings.model_fields["port"].default


def test_settings_are_settings(container: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a name that there is, and a value that is taken."""
    for setting in container["env"]:
        name = setting["name"].removeprefix("FILLMASK_").lower()
        assert name in Settings.model_fields
        if "file" not in name:
            monkeypatch.setenv(setting["name"], setting["value"])
    Settings()


def test_probes_ask_what_is_served_and_wait_long_enough(container: dict[str, Any]) -> None:
    """Their paths are routes, and readiness has its own time."""
    served = create_app(Settings()).openapi()["paths"]
    probes = {name: probe for name, probe in container.items() if name.endswith("Probe")}
    assert len(probes) == 3
    patience = Settings.model_fields["ready_timeout_s"].default
    for probe in probes.values():
        path = probe["httpGet"]["path"]
        assert path in served
        assert path != "/readyz" or probe["timeoutSeconds"] > patience


def test_end_is_waited_for(pod: dict[str, Any]) -> None:
    """Kubernetes kills later than the server ends itself."""
    longest = Settings.model_fields["shutdown_timeout_s"].default
    assert pod["terminationGracePeriodSeconds"] > longest


def test_user_and_volumes_are_those_of_the_image(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    """The user that the Dockerfile makes, and every place that it writes to."""
    image = read_stages()[-1]
    user = pod["securityContext"]
    assert image.one("USER") == f"{user['runAsUser']}:{user['runAsGroup']}"
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounted >= set(image.volumes)
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    assert container["securityContext"]["readOnlyRootFilesystem"]

"""The server in a pod is asked, set and ended as it wants to be."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.documents import read
from manifests.kustomize import (
    COMPONENTS,
    SERVERS,
    Parts,
    build,
    compose,
    pod_of,
    server_of,
    settings_of,
)
from service.settings import Settings

SEVERAL = [[component] for component in COMPONENTS] + [COMPONENTS]


def load_settings(parts: Parts, directory: Path, patch: pytest.MonkeyPatch) -> Settings:
    """Return the settings as the server reads them, with a file where each is named."""
    for name, value in settings_of(parts).items():
        is_file = name.endswith("_FILE")
        patch.setenv(name, str(directory / Path(value).name) if is_file else value)
        if is_file:
            (directory / Path(value).name).write_text("key")
    return Settings()


@pytest.fixture(params=SERVERS)
def parts(request: pytest.FixtureRequest) -> Parts:
    """What runs the server, as it is."""
    return build(request.param)


@pytest.mark.parametrize("components", SEVERAL, ids="+".join)
@pytest.mark.parametrize("overlay", SERVERS)
def test_settings_are_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overlay: str, components: list[str]
) -> None:
    """Each has a name that there is, and a value that is taken."""
    parts = compose(overlay, *components)
    names = [name.removeprefix("FILLMASK_").lower() for name in settings_of(parts)]
    assert [name for name in names if name not in Settings.model_fields] == []
    load_settings(parts, tmp_path, monkeypatch)


def test_no_key_is_written_down(parts: Parts) -> None:
    """They are in one Secret, made elsewhere: the callers' as a file, Prometheus' as a variable."""
    assert not {"FILLMASK_API_KEYS", "FILLMASK_ADMIN_KEYS"} & settings_of(parts).keys()
    assert "Secret" not in {kind for kind, _ in parts}
    (volume,) = [volume for volume in pod_of(parts)["volumes"] if "secret" in volume]
    (place,) = [
        mount["mountPath"]
        for mount in server_of(parts)["volumeMounts"]
        if mount["name"] == volume["name"]
    ]
    files = [value for name, value in settings_of(parts).items() if name.endswith("_FILE")]
    assert [str(Path(file).parent) for file in files] == [place]
    (variable,) = server_of(parts)["env"]
    assert variable["name"].removeprefix("FILLMASK_").lower() in Settings.model_fields
    assert variable["valueFrom"]["secretKeyRef"]["name"] == volume["secret"]["secretName"]


def test_port_is_the_servers(parts: Parts) -> None:
    """From the service to the port that the server listens on."""
    (port,) = server_of(parts)["ports"]
    (served,) = parts["Service", "fillmask"]["spec"]["ports"]
    assert served["targetPort"] == port["name"]
    assert port["containerPort"] == Settings.model_fields["port"].default
    assert "FILLMASK_PORT" not in settings_of(parts)


def test_probes_ask_what_is_served_and_wait_long_enough(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start and readiness ask whether masks are filled, life whether the server lives."""
    server = server_of(parts)
    routes = yaml.safe_load(read("openapi.yaml"))["paths"]
    patience = load_settings(parts, tmp_path, monkeypatch).ready_timeout_s
    asked = {}
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        get = server[name]["httpGet"]
        assert "get" in routes[get["path"]]
        assert get["port"] == server["ports"][0]["name"]
        asked[name] = get["path"]
        assert get["path"] != "/readyz" or server[name]["timeoutSeconds"] > patience
    assert asked == {
        "startupProbe": "/readyz",
        "readinessProbe": "/readyz",
        "livenessProbe": "/healthz",
    }


def test_end_is_waited_for(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notice, the longest request, the server's own end, the kill: in this order."""
    settings = load_settings(parts, tmp_path, monkeypatch)
    assert settings.shutdown_notice_s >= server_of(parts)["readinessProbe"]["periodSeconds"]
    assert settings.shutdown_notice_s + settings.request_timeout_s < settings.shutdown_timeout_s
    assert settings.shutdown_timeout_s < pod_of(parts)["terminationGracePeriodSeconds"]
    assert "lifecycle" not in server_of(parts)


def test_docker_names_the_image_that_kubernetes_runs() -> None:
    """Files name what `make image` and Compose call it; where it is fetched from stands once."""
    (target,) = re.findall(r"^\tdocker build --tag (\S+) \.$", read("Makefile"), re.MULTILINE)
    composed = yaml.safe_load(read("docker-compose.yml"))["services"]["fillmask"]["image"]
    kustomization = yaml.safe_load(read("deploy/kubernetes/deployment/kustomization.yaml"))
    (image,) = kustomization["images"]
    written = yaml.safe_load(read("deploy/kubernetes/deployment/deployment.yaml"))
    spec = written["spec"]["template"]["spec"]
    assert {c["image"] for c in spec["containers"] + spec["initContainers"]} == {target}
    assert (image["name"], f"{target}:{image['newTag']}") == (target, composed)
    assert images(build("deployment")) == {f"{image['newName']}:{image['newTag']}"}
    assert images(build("overlays/gpu")) == {f"{image['newName']}:{image['newTag']}-gpu"}


def images(parts: Parts) -> set[Any]:
    """Return the images of a pod."""
    pod = pod_of(parts)
    return {container["image"] for container in pod["containers"] + pod["initContainers"]}

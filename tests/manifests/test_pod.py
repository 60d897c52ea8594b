"""A pod may do what it must, and no more; what it writes to is there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.documents import read, run_tool
from dockerfile import Stage, read_stages
from manifests.kustomize import SERVERS, Parts, build, compose, pod_of, server_of, settings_of

BAKED = "deploy/kubernetes/components/baked-models/Dockerfile"


@pytest.fixture(params=SERVERS)
def parts(request: pytest.FixtureRequest) -> Parts:
    """What runs the server, as it is."""
    return build(request.param)


@pytest.fixture
def image() -> Stage:
    """What the Dockerfile makes."""
    return read_stages()[-1]


def containers_of(parts: Parts) -> list[Any]:
    """Return all containers of a pod."""
    pod = pod_of(parts)
    return [*pod["containers"], *pod["initContainers"]]


def test_pod_keeps_to_the_restricted_policy(parts: Parts, image: Stage) -> None:
    """The user of the image, no capability, no escalation, no writable root, no token."""
    pod = pod_of(parts)
    user = pod["securityContext"]
    assert image.one("USER") == f"{user['runAsUser']}:{user['runAsGroup']}"
    assert user["fsGroup"] == user["runAsGroup"]
    assert user["runAsNonRoot"]
    assert user["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in containers_of(parts):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_every_place_that_is_written_to_has_a_volume(parts: Parts, image: Stage) -> None:
    """Both of the image; all that is mounted is a volume, and all volumes are mounted."""
    mounts = {mount["mountPath"]: mount["name"] for mount in server_of(parts)["volumeMounts"]}
    assert mounts.keys() >= set(image.volumes)
    volumes = {volume["name"]: volume for volume in pod_of(parts)["volumes"]}
    assert set(mounts.values()) == volumes.keys()
    claim = volumes[mounts["/models"]]["persistentVolumeClaim"]["claimName"]
    assert parts["PersistentVolumeClaim", claim]["spec"]["accessModes"] == ["ReadWriteMany"]
    assert "emptyDir" in volumes[mounts["/var/cache/fillmask"]]


def test_conversions_of_the_image_are_put_where_the_server_looks(
    parts: Parts, image: Stage
) -> None:
    """The volume over them is filled with them first, by the image itself."""
    (copier,) = pod_of(parts)["initContainers"]
    assert copier["image"] == server_of(parts)["image"]
    (mount,) = copier["volumeMounts"]
    program, *_, source, target = copier["command"]
    assert (program, target) == ("cp", mount["mountPath"])
    place = source.removesuffix("/.")
    mounted = {m["mountPath"]: m["name"] for m in server_of(parts)["volumeMounts"]}
    assert mounted[place] == mount["name"]
    assert Path(image.environment["FILLMASK_CACHE_DIR"]).is_relative_to(place)


def test_server_gets_whole_cores_and_all_that_it_asks_for(parts: Parts) -> None:
    """What is throttled within a batch holds up all callers."""
    resources = server_of(parts)["resources"]
    assert resources["limits"]["cpu"] == resources["requests"]["cpu"]
    assert int(resources["requests"]["cpu"]) >= 2
    assert {"cpu", "memory"} <= resources["limits"].keys()


def test_pods_are_spread_over_zones_and_nodes(parts: Parts) -> None:
    """Of this service, and without keeping a pod from starting."""
    spread = pod_of(parts)["topologySpreadConstraints"]
    labels = parts["Deployment", "fillmask"]["spec"]["template"]["metadata"]["labels"]
    assert [rule["topologyKey"] for rule in spread] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    for rule in spread:
        assert rule["labelSelector"]["matchLabels"].items() <= labels.items()
        assert rule["whenUnsatisfiable"] == "ScheduleAnyway"


def test_gpu_is_asked_for_and_never_twice() -> None:
    """A rollout waits for no second card; several processes feed it."""
    parts = build("overlays/gpu")
    assert server_of(parts)["resources"]["limits"]["nvidia.com/gpu"] == "1"
    strategy = parts["Deployment", "fillmask"]["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxSurge": 0, "maxUnavailable": 1}
    assert int(settings_of(parts)["FILLMASK_WORKERS"]) > 1
    (toleration,) = pod_of(parts)["tolerations"]
    assert toleration["key"] == "nvidia.com/gpu"


def test_models_in_the_image_need_no_volume() -> None:
    """Only the keys are left, and no claim."""
    parts = compose("deployment", "baked-models")
    assert [volume["name"] for volume in pod_of(parts)["volumes"]] == ["keys"]
    assert [mount["name"] for mount in server_of(parts)["volumeMounts"]] == ["keys"]
    assert pod_of(parts)["initContainers"] == []
    assert "PersistentVolumeClaim" not in {kind for kind, _ in parts}


def test_image_with_models_keeps_them_out_of_volumes(image: Stage) -> None:
    """It is made of ours, as our user, for a service that fetches nothing; hadolint has no word."""
    stage = read_stages(BAKED)[-1]
    assert stage.base == yaml.safe_load(read("docker-compose.yml"))["services"]["fillmask"]["image"]
    assert stage.all("USER")[-1] == image.one("USER")
    kept = [stage.environment[name] for name in ("FILLMASK_MODEL_STORE_DIR", "FILLMASK_CACHE_DIR")]
    for place in map(Path, kept):
        assert not any(place.is_relative_to(volume) for volume in image.volumes)
    linted = run_tool("hadolint", "--no-color", BAKED)
    assert (linted.returncode, linted.stdout) == (0, "")

"""The RayService fits Serve's configuration, the lock of Ray, the image and the service."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.documents import ROOT, read, run_tool
from dockerfile import read_stages
from lock_files import read_lock
from manifests.kustomize import Parts, build
from manifests.test_schemas import ENDS, check
from service.settings import Settings

CONFIG = "deploy/ray/config.yaml"
DOCKERFILE = "deploy/kubernetes/ray/Dockerfile"


@pytest.fixture
def parts() -> Parts:
    """All that is applied."""
    return build("ray")


@pytest.fixture
def cluster(parts: Parts) -> Any:
    """What the cluster of Ray is to be."""
    return parts["RayService", "fillmask"]["spec"]["rayClusterConfig"]


@pytest.fixture
def workers(cluster: Any) -> Any:
    """The one group of pods that work."""
    (group,) = cluster["workerGroupSpecs"]
    return group


@pytest.fixture
def settings(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings as the service reads them."""
    (tmp_path / "api").write_text("key")
    for name, value in parts["ConfigMap", "fillmask-settings"]["data"].items():
        assert name.removeprefix("FILLMASK_").lower() in Settings.model_fields
        monkeypatch.setenv(name, str(tmp_path / "api") if name.endswith("_FILE") else value)
    return Settings()


def pods_of(cluster: Any) -> list[Any]:
    """Return what the pods of all groups are."""
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


def test_serve_is_set_up_as_outside_of_kubernetes(parts: Parts) -> None:
    """One configuration, written twice."""
    written = parts["RayService", "fillmask"]["spec"]["serveConfigV2"]
    assert yaml.safe_load(written) == yaml.safe_load(read(CONFIG))


def test_version_is_that_of_the_lock(cluster: Any) -> None:
    """KubeRay decides by it what it asks of the image."""
    assert cluster["rayVersion"] == read_lock("ray.txt")["ray"]


@pytest.mark.parametrize("version", ENDS)
def test_pods_are_pods(cluster: Any, version: str) -> None:
    """The schema of Kubernetes, which the RayService's own contains."""
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    templates = [
        {"apiVersion": "v1", "kind": "PodTemplate", "template": group["template"]}
        for group in groups
    ]
    assert [check(json.dumps(template), version) for template in templates] == [None, None]


def test_autoscaler_beside_the_head_is_a_container(cluster: Any) -> None:
    """With resources and a security context of Kubernetes' own, as restricted as the others."""
    options = cluster["autoscalerOptions"]
    sidecar = {
        "name": "autoscaler",
        **{key: options[key] for key in ("resources", "securityContext")},
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [sidecar]}}
    assert [check(json.dumps(pod), version) for version in ENDS] == [None, None]
    containers = [container for pod in pods_of(cluster) for container in pod["containers"]]
    assert {json.dumps(each["securityContext"]) for each in [*containers, sidecar]} == {
        json.dumps(options["securityContext"])
    }
    assert options["securityContext"]["readOnlyRootFilesystem"]


def test_pods_are_as_restricted_as_those_of_the_deployment(cluster: Any) -> None:
    """The same user and the same profile; only the head may ask Kubernetes for pods."""
    deployment = build("deployment")["Deployment", "fillmask"]["spec"]["template"]["spec"]
    head, worker = pods_of(cluster)
    assert head["securityContext"] == worker["securityContext"] == deployment["securityContext"]
    assert worker["automountServiceAccountToken"] is False
    assert "automountServiceAccountToken" not in head
    assert worker["initContainers"][0]["command"] == deployment["initContainers"][0]["command"]


def test_every_place_that_is_written_to_has_a_volume(parts: Parts, cluster: Any) -> None:
    """Ray's sessions everywhere; presets and conversions where engines are."""
    head, worker = pods_of(cluster)
    for pod in (head, worker):
        (container,) = pod["containers"]
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}
        assert read_stages(DOCKERFILE)[-1].environment["RAY_TMPDIR"] in mounts
    assert set(read_stages()[-1].volumes) <= mounts.keys()
    (claim,) = [
        v["persistentVolumeClaim"] for v in worker["volumes"] if "persistentVolumeClaim" in v
    ]
    deployment = build("deployment")["PersistentVolumeClaim", claim["claimName"]]
    assert parts["PersistentVolumeClaim", claim["claimName"]]["spec"] == deployment["spec"]


def test_all_pods_have_the_settings_and_the_image(parts: Parts, cluster: Any) -> None:
    """By the name with the hash, which kustomize has to find in a kind that it does not know."""
    name = parts["ConfigMap", "fillmask-settings"]["metadata"]["name"]
    for pod in pods_of(cluster):
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert re.fullmatch(r"registry\S+/fillmask-ray:0\.1\.0", container["image"])
        for container in pod["containers"]:
            assert container["envFrom"] == [{"configMapRef": {"name": name}}]


def test_head_works_for_nobody_and_workers_hold_all_replicas(cluster: Any, workers: Any) -> None:
    """The least on the pods that there always are, the most on those that there may be."""
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert cluster["enableInTreeAutoscaling"]
    (container,) = workers["template"]["spec"]["containers"]
    cores = int(container["resources"]["limits"]["cpu"])
    assert container["resources"]["requests"]["cpu"] == str(cores)
    (application,) = yaml.safe_load(read(CONFIG))["applications"]
    scaled = [each for each in application["deployments"] if "autoscaling_config" in each]
    for replicas, pods in (("min_replicas", "minReplicas"), ("max_replicas", "maxReplicas")):
        taken = sum(
            each["autoscaling_config"][replicas] * each["ray_actor_options"]["num_cpus"]
            for each in scaled
        )
        assert taken <= cores * workers[pods]


def test_end_is_waited_for(settings: Settings, workers: Any) -> None:
    """The longest request, a replica's end, preStop, the kill: in this order."""
    serve = yaml.safe_load(read(CONFIG))["http_options"]
    assert settings.request_timeout_s < serve["request_timeout_s"]
    assert settings.request_timeout_s < settings.shutdown_timeout_s
    pod = workers["template"]["spec"]
    (*_, command) = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    (deadline,) = re.findall(r"--deadline-remaining-seconds (\d+)", command)
    (waited,) = re.findall(r"sleep (\d+)$", command)
    assert settings.shutdown_timeout_s < int(deadline) == int(waited)
    assert int(waited) < pod["terminationGracePeriodSeconds"]


def test_a_drain_leaves_workers(parts: Parts, cluster: Any, workers: Any) -> None:
    """By a number, for Kubernetes does not know the kind that they belong to."""
    budget = parts["PodDisruptionBudget", "fillmask-workers"]["spec"]
    assert 0 < budget["minAvailable"] < workers["minReplicas"]
    labels = {**workers["template"]["metadata"]["labels"], "ray.io/node-type": "worker"}
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    assert cluster["headGroupSpec"]["template"]["metadata"] == workers["template"]["metadata"]


def test_ports_are_open_to_those_who_need_them(parts: Parts, cluster: Any) -> None:
    """Serve's to callers, the dashboard to KubeRay, Redis' to us, all of them among the pods."""
    policy = parts["NetworkPolicy", "fillmask-ray"]["spec"]
    ours = policy["podSelector"]
    assert ours["matchLabels"] == cluster["headGroupSpec"]["template"]["metadata"]["labels"]
    among, callers, operator = policy["ingress"]
    assert among == {"from": [{"podSelector": ours}]}
    assert {"to": [{"podSelector": ours}]} in policy["egress"]
    named = {
        port["name"]: port["containerPort"]
        for pod in pods_of(cluster)
        for port in pod["containers"][0]["ports"]
    }
    assert [port["port"] for port in callers["ports"]] == [named["serve"]]
    assert named["serve"] == yaml.safe_load(read(CONFIG))["http_options"]["port"]
    assert [port["port"] for port in operator["ports"]] == [named["dashboard"]]
    redis = cluster["gcsFaultToleranceOptions"]["redisAddress"]
    open_to = {port["port"] for rule in policy["egress"] for port in rule.get("ports", [])}
    assert int(redis.partition(":")[2]) in open_to


def test_image_is_ours_with_ray() -> None:
    """As our user, with the lock of Ray and the application; nothing else is copied."""
    stage, ours = read_stages(DOCKERFILE)[-1], read_stages()[-1]
    assert stage.base == yaml.safe_load(read("docker-compose.yml"))["services"]["fillmask"]["image"]
    assert stage.all("USER")[-1] == ours.one("USER")
    copied = dict(line.split() for line in stage.all("COPY"))
    kept = {line[1:] for line in read(f"{DOCKERFILE}.dockerignore").splitlines() if line[0] == "!"}
    assert copied.keys() == kept == {"requirements/ray.txt", "deploy/ray"}
    (application,) = yaml.safe_load(read(CONFIG))["applications"]
    module = application["import_path"].partition(":")[0].replace(".", "/")
    assert (ROOT / f"{module}.py").is_file()
    assert copied["deploy/ray"] == f"{stage.environment['PYTHONPATH']}/deploy/ray"
    linted = run_tool("hadolint", "--no-color", DOCKERFILE)
    assert (linted.returncode, linted.stdout) == (0, "")

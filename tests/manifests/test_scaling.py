"""Pods come and go with the texts that wait, and never all at once."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.documents import read
from e2e.test_prometheus import run
from manifests.kustomize import SERVERS, Parts, build, deployment_of
from service.telemetry.metrics import Metrics


@pytest.fixture(params=SERVERS)
def parts(request: pytest.FixtureRequest) -> Parts:
    """What runs the server, as it is."""
    return build(request.param)


@pytest.fixture
def autoscaler(parts: Parts) -> Any:
    """What sets how many pods there are."""
    return parts["HorizontalPodAutoscaler", "fillmask"]["spec"]


@pytest.fixture
def rule() -> Any:
    """The one rule of prometheus-adapter."""
    values = read("deploy/kubernetes/components/prometheus/adapter-values.yaml")
    (only,) = yaml.safe_load(values)["rules"]["custom"]
    return only


def test_autoscaler_scales_the_deployment(parts: Parts, autoscaler: Any) -> None:
    """It alone says how many: applying the files again changes nothing of it."""
    target = autoscaler["scaleTargetRef"]
    found = parts[target["kind"], target["name"]]
    assert found["apiVersion"] == target["apiVersion"]
    assert "replicas" not in deployment_of(parts)
    assert 2 <= autoscaler["minReplicas"] <= autoscaler["maxReplicas"]


def test_autoscaler_asks_for_a_gauge_that_the_adapter_shows(autoscaler: Any, rule: Any) -> None:
    """One metric, of the service, under the name that the rule gives it; none of processors."""
    (metric,) = autoscaler["metrics"]
    assert metric["type"] == "Pods"
    name = metric["pods"]["metric"]["name"]
    assert rule["name"] == {"as": name}
    (series,) = re.findall(r"^(\w+)\{", rule["seriesQuery"])
    assert series in gauges()
    for label, resource in (("namespace", "namespace"), ("pod", "pod")):
        assert f'{label}!=""' in rule["seriesQuery"]
        assert rule["resources"]["overrides"][label] == {"resource": resource}


def test_adapter_looks_at_more_than_one_scrape(rule: Any) -> None:
    """The mean of several: a queue is empty at most moments."""
    (minutes,) = re.findall(r"\[(\d+)m\]", rule["metricsQuery"])
    monitor = yaml.safe_load(read("deploy/kubernetes/components/prometheus/service-monitor.yaml"))
    (endpoint,) = monitor["spec"]["endpoints"]
    assert int(minutes) * 60 >= 3 * int(endpoint["interval"].removesuffix("s"))
    assert int(endpoint["scrapeTimeout"][:-1]) < int(endpoint["interval"][:-1])


@pytest.mark.prometheus
def test_adapter_asks_in_promql(tmp_path: Path, rule: Any) -> None:
    """What it makes of its templates is the expression of a rule."""
    query = rule["metricsQuery"]
    filled = {
        "<<.GroupBy>>": "pod",
        "<<.Series>>": "fill_mask_queue_size",
        "<<.LabelMatchers>>": 'namespace="n",pod=~"a|b"',
    }
    for template, value in filled.items():
        assert template in query
        query = query.replace(template, value)
    rules = {"groups": [{"name": "adapter", "rules": [{"record": "r", "expr": query}]}]}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules))
    checked = run("promtool", "check", "rules", str(tmp_path / "rules.yml"))
    assert checked.returncode == 0, checked.stdout.decode()


def test_pods_go_more_slowly_than_they_come(autoscaler: Any) -> None:
    """One a minute, and only after five minutes of less."""
    up, down = autoscaler["behavior"]["scaleUp"], autoscaler["behavior"]["scaleDown"]
    assert up["stabilizationWindowSeconds"] == 0
    assert down["stabilizationWindowSeconds"] >= 300
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]


def test_drains_take_one_pod_at_a_time(parts: Parts) -> None:
    """Of the pods that there are, and whatever their number."""
    budget = parts["PodDisruptionBudget", "fillmask"]["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == deployment_of(parts)["selector"]


def gauges() -> set[str]:
    """Return the names of the gauges of the server."""
    metrics = Metrics(outcome=lambda _: "ok", queue_size=lambda: 0, queue_age=lambda: 0)
    return {family.name for family in metrics._registry.collect() if family.type == "gauge"}

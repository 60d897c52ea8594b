"""Whatever selects pods selects those that there are; who may call them is said."""

from ipaddress import ip_network
from typing import Any

import pytest

from manifests.kustomize import (
    COMPONENTS,
    NAMESPACE,
    SERVERS,
    Parts,
    build,
    compose,
    deployment_of,
    server_of,
    settings_of,
)

METADATA_SERVER = ip_network("169.254.169.254/32")
"""Where clouds hand out credentials to whoever asks."""


@pytest.fixture(params=SERVERS)
def parts(request: pytest.FixtureRequest) -> Parts:
    """What runs the server, with what Prometheus needs."""
    return compose(request.param, "prometheus")


def policies_of(parts: Parts) -> dict[str, Any]:
    """Return the network policies by name."""
    return {name: part["spec"] for (kind, name), part in parts.items() if kind == "NetworkPolicy"}


def test_selectors_meet_the_labels_of_the_pods(parts: Parts) -> None:
    """Of the deployment, the service, the budget and every policy."""
    labels = deployment_of(parts)["template"]["metadata"]["labels"].items()
    selectors = [
        deployment_of(parts)["selector"]["matchLabels"],
        parts["Service", "fillmask"]["spec"]["selector"],
        parts["PodDisruptionBudget", "fillmask"]["spec"]["selector"]["matchLabels"],
        *(policy["podSelector"]["matchLabels"] for policy in policies_of(parts).values()),
    ]
    assert [
        selector
        for selector in selectors
        if not 0 < len(selector.items() & labels) == len(selector)
    ] == []


def test_monitor_meets_the_labels_and_the_port_of_the_service(parts: Parts) -> None:
    """It asks each pod behind it, at the path of the metrics, and shows a key of the Secret."""
    monitor = parts["ServiceMonitor", "fillmask"]["spec"]
    service = parts["Service", "fillmask"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["path"] == "/metrics"
    (variable,) = server_of(parts)["env"]
    assert variable["name"] == "FILLMASK_API_KEYS"
    assert endpoint["authorization"] == {"credentials": variable["valueFrom"]["secretKeyRef"]}


def test_everything_is_in_one_namespace(parts: Parts) -> None:
    """Whichever somebody chooses."""
    assert {part["metadata"]["namespace"] for part in parts.values()} == {NAMESPACE}


def test_callers_are_named_and_reach_the_port_only(parts: Parts) -> None:
    """Nobody is let in from everywhere."""
    for policy in policies_of(parts).values():
        for rule in policy.get("ingress", []):
            assert all("namespaceSelector" in source for source in rule["from"])
            assert [port["port"] for port in rule["ports"]] == [
                server_of(parts)["ports"][0]["name"]
            ]


def test_only_names_and_the_internet_are_let_out() -> None:
    """The DNS of the cluster, whoever it is of, and HTTPS to nothing that is inside."""
    policies = policies_of(build("deployment"))
    assert policies["fillmask"]["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policies["fillmask"]
    names, hubs = policies["fillmask-hubs"]["egress"]
    (source,) = names["to"]
    assert source["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    assert {port["port"] for port in names["ports"]} == {53}
    assert [port["port"] for port in hubs["ports"]] == [443]
    blocks = [block["ipBlock"] for block in hubs["to"]]
    inside = {ip_network(excepted) for block in blocks for excepted in block["except"]}
    assert any(METADATA_SERVER.subnet_of(net) for net in inside if net.version == 4)
    assert {net for net in inside if not net.is_private and not net.is_link_local} <= {
        ip_network("100.64.0.0/10")
    }


@pytest.mark.parametrize("overlay", SERVERS)
def test_nothing_leaves_offline(overlay: str) -> None:
    """No policy lets anything out, and the service does not try."""
    parts = compose(overlay, *COMPONENTS)
    assert settings_of(parts)["FILLMASK_OFFLINE"] == "true"
    policies = policies_of(parts)
    assert "Egress" in policies["fillmask"]["policyTypes"]
    assert [name for name, policy in policies.items() if policy.get("egress")] == []

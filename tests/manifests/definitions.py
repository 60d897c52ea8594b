"""What of the definitions of others' kinds we rely on: no package that we can lock ships them.

Each is the part that our files use, closed to all else, written after the sources that it names. So
a misspelt or misplaced field is found; that a cluster's version of the operator has it is not.
"""

from typing import Any

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_DURATION = {"type": "string", "pattern": r"^\d+(ms|s|m|h)$"}


def _closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


_LABELS = {"type": "object", "additionalProperties": _TEXT}
_METADATA = _closed({"name": _TEXT}, namespace=_TEXT, labels=_LABELS)
_SELECTOR = _closed({}, matchLabels=_LABELS)

_ENDPOINT = _closed(
    {"port": _TEXT},
    path=_TEXT,
    interval=_DURATION,
    scrapeTimeout=_DURATION,
    authorization=_closed({"credentials": _closed({"key": _TEXT}, name=_TEXT)}, type=_TEXT),
)
_SERVICE_MONITOR = _closed(
    {"selector": _SELECTOR, "endpoints": {"type": "array", "items": _ENDPOINT, "minItems": 1}},
    jobLabel=_TEXT,
)
"""prometheus-operator, Documentation/api-reference, ServiceMonitorSpec and Endpoint."""

_ANY = {"type": "object"}
_SECRET_KEY = _closed({"name": _TEXT, "key": _TEXT})
_GROUP = {
    "rayStartParams": {"type": "object", "additionalProperties": _TEXT},
    "template": _closed({"spec": _ANY}, metadata=_ANY),
}
_RAY_CLUSTER = _closed(
    {
        "rayVersion": _TEXT,
        "headGroupSpec": _closed(_GROUP),
        "workerGroupSpecs": {
            "type": "array",
            "minItems": 1,
            "items": _closed(
                {"groupName": _TEXT, "minReplicas": _COUNT, "maxReplicas": _COUNT, **_GROUP},
                replicas=_COUNT,
            ),
        },
    },
    enableInTreeAutoscaling={"type": "boolean"},
    autoscalerOptions=_closed(
        {},
        upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
        idleTimeoutSeconds=_COUNT,
        resources=_ANY,
        securityContext=_ANY,
    ),
    gcsFaultToleranceOptions=_closed(
        {"redisAddress": _TEXT},
        redisPassword=_closed({"valueFrom": _closed({"secretKeyRef": _SECRET_KEY})}),
    ),
)
_RAY_SERVICE = _closed(
    {"serveConfigV2": _TEXT, "rayClusterConfig": _RAY_CLUSTER},
    excludeHeadPodFromServeSvc={"type": "boolean"},
)
"""KubeRay, helm-chart/kuberay-operator/crds/ray.io_rayservices.yaml. What is taken as any object
here are kinds of Kubernetes' own: `test_ray_service.py` has their schemas look at them."""


def _kind(version: str, kind: str, spec: Any) -> dict[str, Any]:
    named = {"apiVersion": {"const": version}, "kind": {"const": kind}}
    return _closed({**named, "metadata": _METADATA, "spec": spec})


_KINDS = [
    ("monitoring.coreos.com/v1", "ServiceMonitor", _SERVICE_MONITOR),
    ("ray.io/v1", "RayService", _RAY_SERVICE),
]
DEFINITIONS = {f"{version} {kind}": _kind(version, kind, spec) for version, kind, spec in _KINDS}
"""JSON schemas by version and kind."""

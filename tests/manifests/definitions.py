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

DEFINITIONS = {
    "monitoring.coreos.com/v1 ServiceMonitor": _closed(
        {
            "apiVersion": {"const": "monitoring.coreos.com/v1"},
            "kind": {"const": "ServiceMonitor"},
            "metadata": _METADATA,
            "spec": _SERVICE_MONITOR,
        }
    ),
}
"""JSON schemas by version and kind."""

"""What is told of all that happens: metrics, events and spans.

Lives here: all that imports prometheus_client or OpenTelemetry, or sets structlog up. Knows
the records of the pipeline, the queue and the cache, each of which is handed an observer. Does not
know routes.
"""

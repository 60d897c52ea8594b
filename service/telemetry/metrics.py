"""The metrics of a server. The only importer of prometheus_client."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from service.errors.table import OK
from service.models.cache_records import CacheEvent, CacheRecord
from service.pipeline import RequestRecord
from service.scheduling.batch_records import BatchRecord
from service.telemetry.tally import Tally

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_POWERS_OF_TWO = tuple(float(2**n) for n in range(10))
_TOKENS = tuple(float(2**n) for n in range(4, 16))
_ROWS = tuple(float(4**n) for n in range(7))
_RATIOS = tuple(n / 10 for n in range(10))

STATES = ("available", "downloading", "loading", "ready", "failed")
_READY = frozenset({"available", "ready"})

UNKNOWN_PRESET = "unknown"
"""The label of every preset that is not listed, so that callers cannot add labels."""


class Metrics:
    """Hears what happens and keeps count, in a registry of its own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(
        self,
        *,
        outcome: Callable[[BaseException | None], str],
        queue_size: Callable[[], int],
        queue_age: Callable[[], float],
        preset_states: Callable[[], Mapping[str, str]] = dict,
        configured: Collection[str] = (),
    ) -> None:
        """Register every metric.

        Args:
            outcome: the label of a request's error.
            queue_size: how many texts wait now, in all queues.
            queue_age: for how many seconds the oldest of them has waited, 0 where none does.
            preset_states: how every preset stands that was ever to be loaded.
            configured: the presets that the settings name.
        """
        self._registry = CollectorRegistry()
        # Of the process that runs the models, wherever there are several.
        ProcessCollector(registry=self._registry)
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self._outcome = outcome
        self._preset_states = preset_states
        self._configured = configured
        self._responses = Counter(
            "fill_mask_http_responses_total",
            "Answers of the HTTP server, by route and status.",
            ("route", "status"),
            registry=self._registry,
        )
        self._requests = Counter(
            "fill_mask_requests_total",
            "Requests by how they ended: ok, or the code of their error.",
            ("preset", "outcome"),
            registry=self._registry,
        )
        self._request_seconds = self._histogram(
            "fill_mask_request_duration_seconds", "From the parsed request to its answer.", _SECONDS
        )
        self._task_rows = Histogram(
            "fill_mask_task_rows",
            "Rows that the engine ran for one answered request, by task.",
            ("task",),
            registry=self._registry,
            buckets=_ROWS,
        )
        self._tokenization_seconds = self._histogram(
            "fill_mask_tokenization_duration_seconds", "Tokenizing one request.", _SECONDS
        )
        self._queue_seconds = self._histogram(
            "fill_mask_queue_duration_seconds", "How long a text waited for its batch.", _SECONDS
        )
        self._inference_seconds = self._histogram(
            "fill_mask_inference_duration_seconds", "Running one batch.", _SECONDS
        )
        self._batch_size = self._histogram(
            "fill_mask_batch_size", "Texts in one batch.", _POWERS_OF_TWO
        )
        self._batch_tokens = self._histogram(
            "fill_mask_batch_tokens", "Tokens in one batch, padding left out.", _TOKENS
        )
        self._padding_ratio = self._histogram(
            "fill_mask_padding_ratio", "The share of padding in the tokens of one batch.", _RATIOS
        )
        self._show("fill_mask_queue_size", "Texts waiting, in all queues.", queue_size)
        self._show(
            "fill_mask_queue_age_seconds", "How long the oldest waiting text has waited.", queue_age
        )
        self._cache = {
            event: Counter(f"fill_mask_model_{name}_total", description, registry=self._registry)
            for event, name, description in (
                (CacheEvent.HIT, "cache_hits", "Requests whose model was loaded or being loaded."),
                (CacheEvent.MISS, "cache_misses", "Requests that had to start a load."),
                (CacheEvent.EVICTION, "cache_evictions", "Models that were given up for others."),
                # No preset as a label: a series that begins above zero shows no first failure.
                (CacheEvent.FAILURE, "load_failures", "Loads that failed, fetching included."),
            )
        }
        self._state = Gauge(
            "fill_mask_preset_state",
            "How a preset stands: 1 for its state, 0 for the others.",
            ("preset", "state"),
            registry=self._registry,
        )
        self._ready = Gauge(
            "fill_mask_preset_ready",
            "Whether a preset that the settings name answers, or will as soon as it is asked for.",
            ("preset",),
            registry=self._registry,
        )
        self._load_seconds = self._histogram(
            "fill_mask_model_load_duration_seconds", "Loading one model.", _SECONDS
        )
        self._loaded_bytes = Gauge(
            "fill_mask_loaded_bytes", "The weights of the loaded models.", registry=self._registry
        )

    def observe_request(self, record: RequestRecord) -> None:
        """Count a request that ended."""
        preset = record.preset or UNKNOWN_PRESET
        rows = record.timings.rows if record.timings else 0
        outcome = self._outcome(record.error)
        self.count_request(preset, record.task, outcome, record.seconds, rows)

    def count_request(
        self, preset: str, task: str, outcome: str, seconds: float, rows: int
    ) -> None:
        """Count a request by its labels; what was not answered took no rows."""
        self._tallies[preset].add(is_answered=outcome == OK, seconds=seconds, rows=rows)
        self._requests.labels(preset, outcome).inc()
        self._request_seconds.observe(seconds)
        if rows:
            self._task_rows.labels(task).observe(rows)

    def observe_invalid_request(self) -> None:
        """Count a request for a task whose body was refused before a preset was looked up."""
        self._requests.labels(UNKNOWN_PRESET, "invalid_request").inc()

    def observe_response(self, route: str, status: int) -> None:
        """Count an answer, whoever gave it."""
        self._responses.labels(route, status).inc()

    def observe_tokenization(self, seconds: float) -> None:
        """Count the tokenization of one request."""
        self._tokenization_seconds.observe(seconds)

    def observe_batch(self, record: BatchRecord) -> None:
        """Count a batch."""
        self._batch_size.observe(record.size)
        self._batch_tokens.observe(record.tokens)
        if record.computed_tokens:
            self._padding_ratio.observe(1 - record.tokens / record.computed_tokens)
        self._inference_seconds.observe(record.inference_seconds)
        for seconds in record.queue_seconds:
            self._queue_seconds.observe(seconds)

    def observe_cache(self, record: CacheRecord) -> None:
        """Count what happened to a model."""
        if record.event is CacheEvent.LOAD:
            self._load_seconds.observe(record.seconds)
        elif record.event in self._cache:
            self._cache[record.event].inc()
        self._loaded_bytes.set(record.loaded_bytes)

    async def tally(self, preset: str) -> Tally:
        """Return how the requests for a preset went."""
        return replace(self._tallies[preset])

    async def expose(self) -> bytes:
        """Return every metric in Prometheus' text format."""
        self._show_presets(self._preset_states())
        return generate_latest(self._registry)

    def _show_presets(self, states: Mapping[str, str]) -> None:
        """Set the gauges of presets; what nobody knows any more has none."""
        self._state.clear()
        for preset, current in states.items():
            for state in STATES:
                self._state.labels(preset, state).set(state == current)
        for preset in self._configured:
            self._ready.labels(preset).set(states.get(preset) in _READY)

    def _show(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Register a gauge that is asked for at every scrape."""
        Gauge(name, description, registry=self._registry).set_function(value)

    def _histogram(self, name: str, description: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, description, registry=self._registry, buckets=buckets)

"""The metrics: what is counted, and that callers cannot add labels."""

import asyncio
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fakes import FakeEngine, FakeStore, Gate
from model_store.errors import ModelLoadError
from service.models.cache_records import CacheEvent, CacheRecord
from service.pipeline import RequestRecord, Timings
from service.scheduling.batch_records import BatchRecord
from service.settings import Settings
from service.telemetry.logs import configure_logs
from service.telemetry.metrics import Metrics

TEXT = "the [MASK]"

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parse(text: str) -> Samples:
    """Return every sample of an exposition by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def metrics() -> Metrics:
    """Return metrics of their own registry, whose outcomes are the names of errors."""
    return Metrics(outcome=repr, queue_size=lambda: 7, queue_age=lambda: 2.5)


def read(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Return one sample."""
    return parse(asyncio.run(metrics.expose()).decode()).get((name, tuple(sorted(labels.items()))))


async def scrape(client: httpx.AsyncClient) -> Samples:
    """Return what a scraper sees."""
    return parse((await client.get("/metrics")).text)


def requests(samples: Samples) -> dict[tuple[str, str], float]:
    """Return the counted requests by preset and outcome."""
    return {
        (dict(labels)["preset"], dict(labels)["outcome"]): value
        for (name, labels), value in samples.items()
        if name == "fill_mask_requests_total"
    }


def test_request_is_counted_by_preset_and_outcome(metrics: Metrics) -> None:
    """A request that ended is one more of its kind."""
    metrics.observe_request(RequestRecord("tiny", "fill", 0.5, None))
    assert read(metrics, "fill_mask_requests_total", preset="tiny", outcome="None") == 1


def test_request_duration_is_summed(metrics: Metrics) -> None:
    """Seconds are seconds."""
    metrics.observe_request(RequestRecord("tiny", "fill", 0.5, None))
    assert read(metrics, "fill_mask_request_duration_seconds_sum") == 0.5


def test_rows_of_a_task_are_counted_where_there_was_an_answer(metrics: Metrics) -> None:
    """A refused request took none."""
    metrics.observe_request(RequestRecord("tiny", "fill", 0.5, None, Timings(rows=3)))
    metrics.observe_request(RequestRecord("tiny", "fill", 0.5, ValueError()))
    assert read(metrics, "fill_mask_task_rows_count", task="fill") == 1
    assert read(metrics, "fill_mask_task_rows_sum", task="fill") == 3


def test_request_of_no_known_preset_has_one_label(metrics: Metrics) -> None:
    """All unknown names are one."""
    metrics.observe_request(RequestRecord(None, "fill", 0.5, None))
    assert read(metrics, "fill_mask_requests_total", preset="unknown", outcome="None") == 1


def test_refused_body_is_counted(metrics: Metrics) -> None:
    """A request that never reached a preset is a request too."""
    metrics.observe_invalid_request()
    labels = {"preset": "unknown", "outcome": "invalid_request"}
    assert read(metrics, "fill_mask_requests_total", **labels) == 1


def test_tokenization_is_measured(metrics: Metrics) -> None:
    """Seconds are seconds."""
    metrics.observe_tokenization(0.25)
    assert read(metrics, "fill_mask_tokenization_duration_seconds_sum") == 0.25


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fill_mask_batch_size_sum", 2),
        ("fill_mask_batch_tokens_sum", 30),
        ("fill_mask_padding_ratio_sum", 0.25),
        ("fill_mask_inference_duration_seconds_sum", 0.5),
        ("fill_mask_queue_duration_seconds_sum", 3),
        ("fill_mask_queue_duration_seconds_count", 2),
    ],
)
def test_batch_is_measured(metrics: Metrics, name: str, value: float) -> None:
    """A batch tells its size, its tokens, its padding and its times."""
    metrics.observe_batch(BatchRecord(2, 30, 40, queue_seconds=(1, 2), inference_seconds=0.5))
    assert read(metrics, name) == value


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (CacheEvent.HIT, "fill_mask_model_cache_hits_total"),
        (CacheEvent.MISS, "fill_mask_model_cache_misses_total"),
        (CacheEvent.EVICTION, "fill_mask_model_cache_evictions_total"),
        (CacheEvent.LOAD, "fill_mask_model_load_duration_seconds_count"),
        (CacheEvent.FAILURE, "fill_mask_model_load_failures_total"),
    ],
)
def test_every_event_of_the_cache_has_its_metric(
    metrics: Metrics, event: CacheEvent, name: str
) -> None:
    """An event is counted once, and in its own metric."""
    counters = (
        "fill_mask_model_cache_hits_total",
        "fill_mask_model_cache_misses_total",
        "fill_mask_model_cache_evictions_total",
        "fill_mask_model_load_duration_seconds_count",
        "fill_mask_model_load_failures_total",
    )
    metrics.observe_cache(CacheRecord(event, "tiny", 9))
    assert {counter: read(metrics, counter) for counter in counters} == {
        counter: float(counter == name) for counter in counters
    }


def test_unloading_is_no_eviction(metrics: Metrics) -> None:
    """Evictions say that the presets in use do not fit together."""
    metrics.observe_cache(CacheRecord(CacheEvent.LOAD, "tiny", 9))
    metrics.observe_cache(CacheRecord(CacheEvent.UNLOAD, "tiny", 0))
    assert read(metrics, "fill_mask_model_cache_evictions_total") == 0
    assert read(metrics, "fill_mask_loaded_bytes") == 0


def test_loaded_bytes_are_those_after_the_last_event(metrics: Metrics) -> None:
    """A gauge follows the cache down as well as up."""
    metrics.observe_cache(CacheRecord(CacheEvent.LOAD, "tiny", 9))
    metrics.observe_cache(CacheRecord(CacheEvent.EVICTION, "tiny", 4))
    assert read(metrics, "fill_mask_loaded_bytes") == 4


def test_queue_size_is_asked_for_when_scraped(metrics: Metrics) -> None:
    """The gauge tells how it is now."""
    assert read(metrics, "fill_mask_queue_size") == 7


def test_queue_age_is_asked_for_when_scraped(metrics: Metrics) -> None:
    """The gauge tells how it is now."""
    assert read(metrics, "fill_mask_queue_age_seconds") == 2.5


def test_servers_do_not_share_metrics(metrics: Metrics) -> None:
    """Two servers in one process count for themselves."""
    metrics.observe_tokenization(1)
    other = Metrics(outcome=repr, queue_size=lambda: 0, queue_age=lambda: 0)
    assert read(other, "fill_mask_tokenization_duration_seconds_count") == 0


async def test_answered_request_is_counted_for_its_preset(client: httpx.AsyncClient) -> None:
    """A preset that is known is a label."""
    await client.post("/fill-mask", json={"inputs": TEXT})
    await client.post("/models/other", json={"inputs": TEXT})
    assert requests(await scrape(client)) == {("tiny", "ok"): 1, ("other", "ok"): 1}


async def test_refused_request_is_counted_by_its_code(client: httpx.AsyncClient) -> None:
    """An outcome is what the client saw."""
    await client.post("/fill-mask", json={"inputs": "no mask"})
    assert requests(await scrape(client)) == {("tiny", "mask_not_found"): 1}


async def test_request_above_a_limit_is_counted_by_its_code(store: FakeStore, serve: Any) -> None:
    """A limit of the server is a reason like any other."""
    async with serve(store, max_inputs=1) as client:
        await client.post("/fill-mask", json={"inputs": [TEXT] * 2})
        assert requests(await scrape(client)) == {("tiny", "invalid_request"): 1}


async def test_request_whose_preset_cannot_be_loaded_is_counted_for_it(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """A preset that is listed is known, loaded or not."""
    store.errors["tiny"] = ModelLoadError("broken")
    await client.post("/fill-mask", json={"inputs": TEXT})
    assert requests(await scrape(client)) == {("tiny", "model_load_failed"): 1}


@pytest.mark.parametrize("inputs", [TEXT, "no mask", "", [TEXT] * 1000])
async def test_unknown_preset_never_becomes_a_label(
    client: httpx.AsyncClient, inputs: object
) -> None:
    """Callers cannot add labels, whatever else is wrong with what they send."""
    await client.post("/fill-mask", json={"inputs": inputs, "preset": "evil"})
    await client.post("/models/evil", json={"inputs": inputs})
    assert requests(await scrape(client)) == {("unknown", "preset_not_found"): 2}


@pytest.mark.parametrize("path", ["/fill-mask", "/models/tiny", "/models/evil"])
async def test_request_whose_body_is_refused_is_counted(
    client: httpx.AsyncClient, path: str
) -> None:
    """A client that sends nonsense all day is seen."""
    await client.post(path, json={"inputs": 1})
    assert requests(await scrape(client)) == {("unknown", "invalid_request"): 1}


async def test_waiting_texts_of_all_models_are_counted(store: FakeStore, serve: Any) -> None:
    """The gauge is the sum over all queues."""
    async with serve(store) as client:
        await client.post("/fill-mask", json={"inputs": TEXT})
        samples = await scrape(client)
        assert samples["fill_mask_queue_size", ()] == 0
        assert samples["fill_mask_queue_age_seconds", ()] == 0


async def test_oldest_text_of_all_models_has_the_age(store: FakeStore, serve: Any) -> None:
    """A text that waits behind a held engine grows old."""
    with Gate() as gate:
        store.engines["tiny"] = FakeEngine(gate)
        async with serve(store, max_batch_size=1) as client:
            bodies = [{"inputs": [TEXT] * 4}, {"inputs": TEXT, "preset": "other"}]
            posts = [asyncio.create_task(client.post("/fill-mask", json=b)) for b in bodies]
            await gate.reached()
            assert (await scrape(client))["fill_mask_queue_age_seconds", ()] > 0
            gate.open()
            await asyncio.gather(*posts)


async def test_failed_load_is_counted(client: httpx.AsyncClient, store: FakeStore) -> None:
    """Each try is one; what goes well is none."""
    store.errors["tiny"] = ModelLoadError("broken")
    for preset in ("tiny", "tiny", "other", "nobody"):
        await client.post("/fill-mask", json={"inputs": TEXT, "preset": preset})
    assert (await scrape(client))["fill_mask_model_load_failures_total", ()] == 2


async def test_probes_are_no_requests(client: httpx.AsyncClient) -> None:
    """Readiness is not traffic."""
    await client.get("/readyz")
    assert requests(await scrape(client)) == {}


async def test_batches_of_the_engine_are_measured(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """What ran is what is counted."""
    store.engines["tiny"] = FakeEngine()
    await client.post("/fill-mask", json={"inputs": [TEXT] * 3})
    samples = await scrape(client)
    sums = [samples[f"fill_mask_batch_{unit}_sum", ()] for unit in ("size", "tokens")]
    assert sums == [3, 12]


@pytest.mark.parametrize(("setting", "batches"), [(None, 2), (4, 3)])
async def test_batch_is_as_large_as_measured_unless_set(
    store: FakeStore, serve: Any, setting: int | None, batches: int
) -> None:
    """A fake model says that 8 tokens are enough; a setting knows better."""
    store.batch_tokens["tiny"] = 8
    async with serve(store, max_batch_tokens=setting) as client:
        await client.post("/fill-mask", json={"inputs": [TEXT] * 3})
        assert (await scrape(client))["fill_mask_batch_size_count", ()] == batches


async def test_cache_of_the_server_is_measured(client: httpx.AsyncClient) -> None:
    """The first request misses, the second hits."""
    for _ in range(2):
        await client.post("/fill-mask", json={"inputs": TEXT})
    samples = await scrape(client)
    names = ("cache_misses_total", "cache_hits_total", "load_duration_seconds_count")
    assert [samples[f"fill_mask_model_{name}", ()] for name in names] == [1, 1, 1]
    assert samples["fill_mask_loaded_bytes", ()] == 100


def responses(samples: Samples) -> dict[tuple[str, str], float]:
    """Return the counted answers by route and status."""
    return {
        (dict(labels)["route"], dict(labels)["status"]): value
        for (name, labels), value in samples.items()
        if name == "fill_mask_http_responses_total"
    }


STRANGER = {"authorization": "Bearer nobody"}
ANSWERS = [
    ("POST", "/fill-mask", {"json": {"inputs": TEXT}}, 200, "/fill-mask"),
    ("POST", "/fill-mask", {"json": {"inputs": TEXT}, "headers": STRANGER}, 401, "/fill-mask"),
    ("POST", "/models/evil", {"headers": STRANGER}, 401, "/models/{preset}"),
    ("POST", "/v1/models/evil:predict", {"headers": STRANGER}, 401, "/v1/models/{name}:predict"),
    ("POST", "/presets/evil/load", {"headers": STRANGER}, 401, "/presets/{name}/load"),
    ("POST", "/v2/models/evil/infer", {"headers": STRANGER}, 401, "/v2/models/{name}/infer"),
    ("POST", "/fill-mask", {"content": b"x" * 101}, 413, "/fill-mask"),
    ("POST", "/fill-mask", {"headers": {"content-encoding": "br"}}, 415, "/fill-mask"),
    ("POST", "/models/tiny", {"json": {}}, 422, "/models/{preset}"),
    ("GET", "/evil", {}, 404, "unknown"),
    ("PUT", "/evil", {"headers": STRANGER}, 401, "unknown"),
    ("PUT", "/v1/models/evil", {"headers": STRANGER}, 401, "/v1/models/{name}"),
    ("PATCH", "/fill-mask", {}, 405, "/fill-mask"),
    ("POST", "/presets/evil/load", {}, 404, "/presets/{name}/load"),
    ("POST", "/presets/tiny/load", {"json": {"evil": 1}}, 422, "/presets/{name}/load"),
    ("GET", "/docs", {}, 200, "/docs"),
]


@pytest.mark.parametrize("case", ANSWERS, ids=str)
async def test_every_answer_is_counted_by_its_route_and_status(
    store: FakeStore, serve: Any, case: tuple[str, str, dict[str, Any], int, str]
) -> None:
    """Refusals on the way to a route too; nothing that a caller writes is a label."""
    method, path, sent, status, route = case
    async with serve(store, api_keys=("key",), max_body_bytes=100) as client:
        answer = await client.request(method, path, **sent)
        assert answer.status_code == status
        samples = await scrape(client)
    assert responses(samples) == {(route, str(status)): 1}
    assert "evil" not in str(samples)


@pytest.mark.parametrize("path", ["/presets/tiny/load", "/presets/tiny/unload"])
async def test_refusals_of_admin_routes_are_no_requests_to_fill_masks(
    client: httpx.AsyncClient, path: str
) -> None:
    """Nor are bodies there that nobody can read."""
    for content in (b'{"evil": 1}', b"[" * 100_000):
        headers = {"content-type": "application/json"}
        await client.post(path, content=content, headers=headers)
    assert requests(await scrape(client)) == {}


async def test_refused_callers_are_logged_with_their_route(
    store: FakeStore, serve: Any, read_log: Any
) -> None:
    """Whoever looks for them asks what they wanted."""
    configure_logs(Settings())
    async with serve(store, api_keys=("key",), access_log=True) as client:
        await client.post("/models/evil", headers=STRANGER)
    [event] = read_log()
    assert (event["route"], event["status"]) == ("/models/{preset}", 401)


def states(samples: Samples) -> dict[str, str]:
    """Return the one state that each preset has."""
    series = {
        (dict(labels)["preset"], dict(labels)["state"]): value
        for (name, labels), value in samples.items()
        if name == "fill_mask_preset_state"
    }
    assert len(series) == 5 * len({preset for preset, _ in series})
    return {preset: state for (preset, state), value in series.items() if value}


def ready(samples: Samples) -> dict[str, float]:
    """Return whether each preset of the settings is ready."""
    return {
        dict(labels)["preset"]: value
        for (name, labels), value in samples.items()
        if name == "fill_mask_preset_ready"
    }


async def test_state_of_a_preset_follows_it(store: FakeStore, serve: Any) -> None:
    """From its load, over a failure, until it is given up."""
    with Gate() as gate:
        store.gates["tiny"] = gate
        async with serve(store, preload=True) as client:
            await gate.reached()
            samples = await scrape(client)
            assert (states(samples), ready(samples)) == ({"tiny": "loading"}, {"tiny": 0})
            gate.open()
            await client.get("/readyz")
            samples = await scrape(client)
            assert (states(samples), ready(samples)) == ({"tiny": "ready"}, {"tiny": 1})
            store.errors["other"] = ModelLoadError("broken")
            await client.post("/fill-mask", json={"inputs": TEXT, "preset": "other"})
            samples = await scrape(client)
            assert states(samples) == {"other": "failed", "tiny": "ready"}
            assert ready(samples) == {"tiny": 1}
            await client.post("/presets/tiny/unload")
            del store.errors["other"]
            for step in ("load", "unload"):
                await client.post(f"/presets/other/{step}")
            samples = await scrape(client)
            assert (states(samples), ready(samples)) == ({"tiny": "available"}, {"tiny": 1})


async def test_default_and_pinned_presets_that_fail_are_not_ready(
    store: FakeStore, serve: Any
) -> None:
    """From the first scrape on; a name that no preset has is among them."""
    store.errors["tiny"] = ModelLoadError("broken")
    async with serve(store, pinned_presets=("tinny", "other"), preload=True) as client:
        await client.get("/readyz")
        await client.post("/presets/other/load")
        samples = await scrape(client)
    assert states(samples) == {"tiny": "failed", "tinny": "failed", "other": "ready"}
    assert ready(samples) == {"tiny": 0, "tinny": 0, "other": 1}


async def test_preset_that_is_fetched_is_downloading() -> None:
    """Its metric says so, as the list of presets does."""
    metrics = Metrics(
        outcome=repr,
        queue_size=lambda: 0,
        queue_age=lambda: 0,
        preset_states=lambda: {"tiny": "downloading"},
        configured=("tiny",),
    )
    samples = parse((await metrics.expose()).decode())
    assert (states(samples), ready(samples)) == ({"tiny": "downloading"}, {"tiny": 0})

"""What every dashboard shows: panels with their queries, and in words what each tells."""

from dataclasses import dataclass

from queries import QUANTILES, by_stage, chosen, mean, quantile, quantiles, rate, share


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph.

    Attributes:
        title: what documents call it.
        unit: Grafana's name for it.
        description: what is shown, and what it tells.
        queries: PromQL by the legend of its lines.
        is_stacked: whether the lines are parts of a whole.
    """

    title: str
    unit: str
    description: str
    queries: dict[str, str]
    is_stacked: bool = False


REQUESTS = "fill_mask_requests_total"
RESPONSES = "fill_mask_http_responses_total"
CACHE = "fill_mask_model_cache"
LOADS = "fill_mask_model_load_duration_seconds"
ROWS = "fill_mask_task_rows"
OF_TASKS = (
    'route=~"/(fill-mask|score|embed[-_]sparse|tokenize|(hf-inference/)?models/[^/]+)?'
    '|/v[12]/models/.+(predict|infer)|.+/ModelInfer"'
)
"""The routes whose answers may be of several requests: those that take a task.

At `/`, which takes one too, whoever looks at the playground is counted with them.
"""
TRAFFIC = [
    Panel(
        "Requests by outcome",
        "reqps",
        "`ok`, or the code of the error, as docs/errors.md explains it.",
        {"{{outcome}}": rate(REQUESTS, "outcome")},
        is_stacked=True,
    ),
    Panel(
        "Requests by preset",
        "reqps",
        "`unknown` is every preset that is not listed.",
        {"{{preset}}": rate(REQUESTS, "preset")},
        is_stacked=True,
    ),
    Panel(
        "Answers by route",
        "reqps",
        "Every answer of the server, probes too. A body of many lines is one answer.",
        {"{{route}}": rate(RESPONSES, "route")},
        is_stacked=True,
    ),
    Panel(
        "Answers by status",
        "reqps",
        "4xx is for callers to mend, but for 429; 5xx is for you.",
        {"{{status}}": rate(RESPONSES, "status")},
        is_stacked=True,
    ),
    Panel(
        "Share of 5xx",
        "percentunit",
        "Of all answers. Failed loads are among them: any caller can name a preset that fails.",
        {"5xx": share(RESPONSES, 'status=~"5.."')},
    ),
    Panel(
        "Refused outside of every route",
        "reqps",
        "400 is no HTTP, 404 no route, 408 a slow head, 429 too many connections, 431 a huge head.",
        {"{{status}}": rate(RESPONSES, "status", 'route="unknown"')},
        is_stacked=True,
    ),
    *(
        Panel(
            f"Duration by stage, {name}",
            "s",
            "A request is tokenized, waits in the queue and is computed; the rest is HTTP.",
            by_stage(share),
        )
        for name, share in QUANTILES.items()
    ),
]

QUEUE = [
    Panel(
        "Queue",
        "short",
        "Texts waiting now, in the queues of all presets.",
        {"texts": f"sum ({chosen('fill_mask_queue_size')})"},
    ),
    Panel(
        "Oldest waiting text",
        "s",
        "How long it has waited; it grows without end where an engine is stuck.",
        {"{{instance}}": chosen("fill_mask_queue_age_seconds")},
    ),
    Panel(
        "Time in the queue",
        "s",
        "How long a text waited for its batch. Above a second, add machines.",
        quantiles("fill_mask_queue_duration_seconds"),
    ),
    Panel(
        "Refused for overload",
        "percentunit",
        "The share of the requests that got 429. Callers that obey Retry-After lose nothing.",
        {"429": share(REQUESTS, 'outcome="overloaded"')},
    ),
    Panel(
        "Inference duration",
        "s",
        "Running one batch. It grows with long texts, and on a machine that does something else.",
        quantiles("fill_mask_inference_duration_seconds"),
    ),
    Panel(
        "Batches",
        "ops",
        "Batches a second. None while texts wait: the engine hangs.",
        {"batches": rate("fill_mask_batch_size_count")},
    ),
    Panel(
        "Batch size",
        "short",
        "Texts in one batch. 1 at low load; it grows with load, and with it what is answered.",
        {"mean": mean("fill_mask_batch_size"), "p95": quantile(0.95, "fill_mask_batch_size")},
    ),
    Panel(
        "Batch tokens",
        "short",
        "Tokens in one batch, padding left out.",
        {"mean": mean("fill_mask_batch_tokens"), "p95": quantile(0.95, "fill_mask_batch_tokens")},
    ),
    Panel(
        "Tokens",
        "short",
        "Tokens a second that the engine computed: what it is worth, whatever the texts.",
        {"tokens/s": rate("fill_mask_batch_tokens_sum")},
    ),
    Panel(
        "Padding",
        "percentunit",
        "The share of padding in what was computed. High at low load, where it costs nothing.",
        {"mean": mean("fill_mask_padding_ratio")},
    ),
]

MODELS = [
    Panel(
        "Presets by state",
        "short",
        "Of those that were ever to be loaded. `failed`: GET /presets says why.",
        {"{{state}}": f"sum by (state) ({chosen('fill_mask_preset_state')})"},
        is_stacked=True,
    ),
    Panel(
        "Ready",
        "bool_yes_no",
        "Whether the default preset and the pinned ones answer, or will as soon as asked.",
        {"{{preset}}": f"min by (preset) ({chosen('fill_mask_preset_ready')})"},
    ),
    Panel(
        "Cache hits",
        "percentunit",
        "The share of uses whose model was in memory. Below one for long: presets do not fit.",
        {
            "hits": f"{rate(f'{CACHE}_hits_total')} / "
            f"({rate(f'{CACHE}_hits_total')} + {rate(f'{CACHE}_misses_total')})"
        },
    ),
    Panel(
        "Loads and evictions",
        "ops",
        "A steady rate of both means that the presets in use do not fit together.",
        {
            "loads": rate(f"{LOADS}_count"),
            "misses": rate(f"{CACHE}_misses_total"),
            "evictions": rate(f"{CACHE}_evictions_total"),
        },
    ),
    Panel(
        "Load duration",
        "s",
        "Loading one model. A first load converts and measures; later ones take a second or so.",
        {"mean": mean(LOADS), "p95": quantile(0.95, LOADS)},
    ),
    Panel(
        "Failed loads",
        "short",
        "How many failed. `error` in GET /presets says which presets, and why.",
        {
            "{{instance}}": "sum by (instance) "
            f"(increase({chosen('fill_mask_model_load_failures_total')}[$__rate_interval]))"
        },
    ),
    Panel(
        "Loaded bytes",
        "bytes",
        "The weights of the loaded models, which FILLMASK_MAX_LOADED_BYTES limits.",
        {"{{instance}}": chosen("fill_mask_loaded_bytes")},
    ),
]

TASKS = [
    Panel(
        "Answered by task",
        "reqps",
        "`fill`, `targets`, `windows`, `joint`, `score`, `embed_sparse`.",
        {"{{task}}": rate(f"{ROWS}_count", "task")},
        is_stacked=True,
    ),
    Panel(
        "Rows by task",
        "short",
        "Rows a second that the engine ran for each: who uses it up.",
        {"{{task}}": rate(f"{ROWS}_sum", "task")},
        is_stacked=True,
    ),
    Panel(
        "Rows of one request",
        "short",
        "The mean by task. One request of 1,000 rows makes others wait as 1,000 texts do.",
        {"{{task}}": mean(ROWS, "task")},
    ),
    Panel(
        "Largest requests",
        "short",
        "Rows that 99 % of the requests of a task stay below; FILLMASK_MAX_ROWS limits them.",
        {"{{task}}": quantile(0.99, ROWS, "task")},
    ),
    Panel(
        "Requests of one answer",
        "short",
        "1 where a body is one request; more where bodies have many lines, each a request.",
        {"requests": f"{rate(REQUESTS)} / {rate(RESPONSES, more=OF_TASKS)}"},
    ),
    Panel(
        "Tokenization",
        "s",
        "All texts of one request. It takes the event loop's time: large requests hold up others.",
        quantiles("fill_mask_tokenization_duration_seconds"),
    ),
]

PROCESSES = [
    Panel(
        "Servers",
        "bool_on_off",
        "Whether Prometheus gets metrics of a server.",
        {"{{instance}}": chosen("up")},
    ),
    Panel(
        "Engine busy",
        "percentunit",
        "The share of the time in which the engine ran a batch. Near 1, add machines.",
        {"{{instance}}": rate("fill_mask_inference_duration_seconds_sum", "instance")},
    ),
    Panel(
        "Processor",
        "short",
        "Cores that the process with the models uses. About 1 while the engine is idle and "
        "requests are slow: the event loop is busy, raise FILLMASK_WORKERS.",
        {"{{instance}}": rate("process_cpu_seconds_total", "instance")},
    ),
    Panel(
        "Memory",
        "bytes",
        "What the process with the models takes, files that it maps included; and weights in it.",
        {
            "{{instance}}": chosen("process_resident_memory_bytes"),
            "{{instance}} weights": chosen("fill_mask_loaded_bytes"),
        },
    ),
    Panel(
        "Open files",
        "percentunit",
        "Connections and files, of those that the system allows the process.",
        {"{{instance}}": f"{chosen('process_open_fds')} / {chosen('process_max_fds')}"},
    ),
    Panel(
        "Time since the start",
        "s",
        "It falls to zero where a process began anew; counters do, too.",
        {"{{instance}}": f"time() - {chosen('process_start_time_seconds')}"},
    ),
]

DASHBOARDS = {
    "traffic": ("Traffic", TRAFFIC),
    "queue": ("Queue and batches", QUEUE),
    "models": ("Models", MODELS),
    "tasks": ("Tasks and lines", TASKS),
    "processes": ("Processes", PROCESSES),
}

"""What a very large load takes, on paper: every line can be followed, and every figure changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from bench.capacity.costs import Costs


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What was not measured by this command.

    Attributes:
        serve_s: seconds of a core that Ray Serve takes for a request beside ours: its proxy, its
            routers, its actors' messages.
        worker_share: how busy a core of a worker may be, as engines have a load that they keep.
        node_cores: cores of a machine.
        link_bytes_s: what the link of a machine carries in a second, either way.
        shard_replicas: replicas that stand behind one name.
        scrape_s: how often Prometheus asks a replica.
        series: how many series a replica shows.
        beat_s: how often a controller asks each replica whether it is well.
    """

    serve_s: float = 0.012
    worker_share: float = 0.6
    node_cores: int = 96
    link_bytes_s: float = 25e9 / 8
    shard_replicas: int = 100
    scrape_s: float = 15.0
    series: int = 400
    beat_s: float = 10.0


class Load(NamedTuple):
    """What is asked for: texts a second, how many in each request, and what a replica answers.

    `replica_rate` is in texts a second; a replica has so many cores.
    """

    rate: float
    texts: int
    replica_rate: float
    replica_cores: int


class Line(NamedTuple):
    """One line of the sum."""

    what: str
    how: str
    amount: str


class Limit(NamedTuple):
    """What breaks, and from how many requests a second on."""

    what: str
    how: str
    rate: float


def size(load: Load, costs: Costs, assumed: Assumptions) -> Iterator[Line]:
    """Yield what it takes, part by part."""
    replicas = ceil(load.rate / load.replica_rate)
    cores = replicas * load.replica_cores
    requests = load.rate / load.texts
    worker_s = costs.http_s + (load.texts - 1) * costs.tokenize_s
    workers = ceil(requests * worker_s / assumed.worker_share)
    serving = ceil(requests * assumed.serve_s / assumed.worker_share)
    traffic = load.rate * (costs.sent_bytes + costs.answer_bytes)
    shards = ceil(replicas / assumed.shard_replicas)
    memory = replicas * costs.memory_bytes
    yield Line("requests a second", f"{load.rate:,.0f} / {load.texts} texts", f"{requests:,.0f}")
    yield Line(
        "model replicas", f"{load.rate:,.0f} / {load.replica_rate:,.0f} texts/s", f"{replicas:,}"
    )
    yield Line("their cores", f"{replicas:,} x {load.replica_cores}", f"{cores:,}")
    yield Line(
        "their memory",
        f"{replicas:,} x {costs.memory_bytes / 1e6:,.0f} MB",
        f"{memory / 1e9:,.0f} GB",
    )
    yield Line(
        "cores that tokenize, where workers do it apart",
        f"{requests:,.0f} x {1e3 * worker_s:.2f} ms / {assumed.worker_share:.0%}",
        f"{workers:,}",
    )
    yield Line(
        "cores for Ray Serve, where it is in front",
        f"{requests:,.0f} x {1e3 * assumed.serve_s:.0f} ms / {assumed.worker_share:.0%}",
        f"{serving:,}",
    )
    yield Line(
        "machines",
        f"({cores:,} + {workers:,}) / {assumed.node_cores} cores; with Serve "
        f"{ceil((cores + workers + serving) / assumed.node_cores):,}",
        f"{ceil((cores + workers) / assumed.node_cores):,}",
    )
    yield Line(
        "traffic at the edge",
        f"{load.rate:,.0f} x {costs.sent_bytes + costs.answer_bytes:,.0f} bytes",
        f"{8 * traffic / 1e9:,.1f} Gbit/s",
    )
    yield Line(
        "links full of it",
        f"/ {8 * assumed.link_bytes_s / 1e9:.0f} Gbit/s",
        f"{traffic / assumed.link_bytes_s:,.1f}",
    )
    yield Line(
        "shards, names of their own", f"{replicas:,} / {assumed.shard_replicas}", f"{shards:,}"
    )
    yield Line(
        "samples of metrics a second",
        f"{replicas:,} x {assumed.series} / {assumed.scrape_s:.0f} s",
        f"{replicas * assumed.series / assumed.scrape_s:,.0f}",
    )
    yield Line(
        "loads that routers remember",
        f"{workers:,} x {replicas:,}, without shards; {workers / shards:,.0f} x "
        f"{assumed.shard_replicas} in each",
        f"{workers * replicas:,}",
    )


def break_in_order(load: Load, costs: Costs, assumed: Assumptions) -> list[Limit]:
    """Return what breaks first, then next; requests a second, each part on its own."""
    a_request = load.texts * (costs.sent_bytes + costs.answer_bytes)
    worker_s = costs.http_s + (load.texts - 1) * costs.tokenize_s
    replica = load.replica_rate / load.texts
    limits = [
        Limit("one replica", f"{load.replica_rate:,.0f} texts/s / {load.texts}", replica),
        Limit(
            "one event loop that parses and tokenizes",
            f"{assumed.worker_share:.0%} / {1e3 * worker_s:.2f} ms",
            assumed.worker_share / worker_s,
        ),
        Limit(
            "one machine of replicas",
            f"{assumed.node_cores} / {load.replica_cores} x {replica:,.0f}",
            assumed.node_cores / load.replica_cores * replica,
        ),
        Limit(
            "one machine of Ray Serve's own work",
            f"{assumed.node_cores} x {assumed.worker_share:.0%} / {1e3 * assumed.serve_s:.0f} ms",
            assumed.node_cores * assumed.worker_share / assumed.serve_s,
        ),
        Limit(
            "one shard",
            f"{assumed.shard_replicas} x {replica:,.0f}",
            assumed.shard_replicas * replica,
        ),
        Limit(
            "one balancer's link",
            f"{8 * assumed.link_bytes_s / 1e9:.0f} Gbit/s / {a_request:,.0f} bytes",
            assumed.link_bytes_s / a_request,
        ),
        Limit(
            "one Prometheus, a million samples a second",
            f"1e6 x {assumed.scrape_s:.0f} s / {assumed.series} replicas, each {replica:,.0f}",
            1e6 * assumed.scrape_s / assumed.series * replica,
        ),
    ]
    return sorted(limits, key=lambda limit: limit.rate)


def write_sum(lines: Iterator[Line]) -> str:
    """Return a Markdown table."""
    rows = [f"| {line.what} | {line.how} | {line.amount} |" for line in lines]
    return "\n".join(["| what | how | amount |", "| --- | --- | ---: |", *rows])


def write_limits(limits: list[Limit]) -> str:
    """Return a Markdown table."""
    rows = [f"| {limit.what} | {limit.how} | {limit.rate:,.0f} |" for limit in limits]
    head = ["| what is full | how | requests a second |", "| --- | --- | ---: |"]
    return "\n".join([*head, *rows])

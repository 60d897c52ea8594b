"""How much is measured: everything in about 25 minutes, or the essentials in about 8."""

import time
from dataclasses import dataclass, field

from bench.flops import BatchShape
from bench.shapes import BASE, MINILM, TINY, Shape


@dataclass(frozen=True, slots=True)
class EngineName:
    """A runtime in one precision; the owner is this repository, or a peer."""

    owner: str
    library: str
    precision: str

    @property
    def label(self) -> str:
        """As the table has it."""
        return f"{self.owner} {self.library} {self.precision}"


ENGINES = (
    EngineName("fillmask", "openvino", "float32"),
    EngineName("fillmask", "openvino", "bfloat16"),
    EngineName("fillmask", "tensorflow", "float32"),
    EngineName("transformers", "torch", "float32"),
    EngineName("onnxruntime", "onnxruntime", "float32"),
)
"""The first is the one that the server runs, and whose ratios are reported."""

HEADLINE = BatchShape(32, 128)
"""The batch whose share of the peak is reported."""

PEAK_LIBRARIES = (
    ("tensorflow", ("float32", "bfloat16", "float16")),
    ("openvino", ("float32", "bfloat16", "float16")),
)


_ENGINES_SHARE = 0.4
_ROUND_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run does; seconds all.

    On a slow machine each part does less. What a ratio is made of is measured once in any case.
    """

    rounds: int
    peak_size: int
    engine_shapes: tuple[Shape, ...]
    engine_batches: tuple[BatchShape, ...]
    engine_seconds: float
    callers: tuple[int, ...]
    sentences: tuple[int, ...]
    server_seconds: float
    peer_shapes: tuple[Shape, ...]
    scalable_counts: tuple[int, ...]
    tail_seconds: float
    most_seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def share_left(self) -> float:
        """The share of the time that is left, 0 where it is over."""
        return max(0.0, 1 - (time.monotonic() - self.started) / self.most_seconds)

    @property
    def is_spent(self) -> bool:
        """Whether the time is over: what no ratio needs is left out, and said so."""
        return self.share_left == 0

    @property
    def engines_are_spent(self) -> bool:
        """Whether engines had their share of the time, and what no ratio needs is left out."""
        return self.share_left < 1 - _ENGINES_SHARE

    @property
    def has_time_for_more_rounds(self) -> bool:
        """Whether servers may be measured once more before what every ratio needs is there."""
        return self.share_left > _ROUND_SHARE

    def shorten(self, seconds: float) -> float:
        """Return how long to measure: that long, or down to a quarter of it when time is short."""
        return seconds * min(1.0, max(0.25, self.share_left / _ROUND_SHARE))


def _grid(rows: tuple[int, ...], lengths: tuple[int, ...]) -> tuple[BatchShape, ...]:
    return tuple(BatchShape(row, length) for row in rows for length in lengths)


def make_full_plan() -> Plan:
    """Return the plan of `make bench`."""
    return Plan(
        rounds=3,
        peak_size=4096,
        engine_shapes=(BASE, TINY, MINILM),
        engine_batches=_grid((1, 8, 32), (16, 32, 128)),
        engine_seconds=0.2,
        callers=(1, 8, 32, 128),
        sentences=(1, 32),
        server_seconds=3.0,
        peer_shapes=(BASE, TINY),
        scalable_counts=(1_000, 10_000, 100_000),
        tail_seconds=20.0,
        most_seconds=23 * 60,
    )


def make_quick_plan() -> Plan:
    """Return the plan of `make bench BENCH=quick`."""
    return Plan(
        rounds=1,
        peak_size=2048,
        engine_shapes=(BASE, TINY),
        engine_batches=(BatchShape(1, 16), BatchShape(32, 32), BatchShape(32, 128)),
        engine_seconds=0.1,
        callers=(1, 32),
        sentences=(1, 32),
        server_seconds=2.0,
        peer_shapes=(BASE, TINY),
        scalable_counts=(1_000, 10_000),
        tail_seconds=8.0,
        most_seconds=8 * 60,
    )

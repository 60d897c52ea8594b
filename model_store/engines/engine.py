"""What an engine does: a batch and k in, top-k ids and log-probabilities out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from model_store.engines.batches.batch import Batch, Scores
from model_store.engines.batches.shape_buckets import Shapes

EngineName: TypeAlias = Literal["auto", "tensorflow", "jax", "torch", "openvino"]
Precision: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What is asked of an engine.

    Attributes:
        name: which; `auto` takes the fastest for the machine.
        precision: what is computed in; `auto` takes the fastest that answers like float32.
        cache_directory: where converted models are kept; None keeps none.
    """

    name: EngineName = "auto"
    precision: Precision = "auto"
    cache_directory: Path | None = None


class Engine(Protocol):
    """A runtime for one model. Not thread-safe: one thread owns it."""

    @property
    def name(self) -> str:
        """As in `EngineOptions`."""
        ...

    @property
    def shapes(self) -> Shapes:
        """The shapes of the batches that it takes."""
        ...

    def run(self, batch: Batch, k: int) -> Scores:
        """Score a batch."""
        ...

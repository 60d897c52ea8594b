"""What one check does: everything on an accelerator, or the same code in small on a processor."""

from dataclasses import dataclass

from bench.shapes import BASE, LARGE, MINILM, TINY, Shape


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """The sizes of a check; seconds all.

    Attributes:
        texts: how many lines of each golden file are asked, or 0 for all.
        precision: what speed and servers are measured in.
        peak_size: the side of the large product.
        shapes: whose speed is measured.
        lengths: of the texts of a batch.
        batch_tokens: how many tokens a batch has, the longest text at least.
        speed_seconds: how long a batch is run again and again.
        served: whose server is measured.
        workers: how many HTTP processes, one server after the other.
        callers: who ask at a time.
        load_seconds: how long they do.
        served_tokens: the most tokens in a server's batch: it says how much is compiled.
        trained: which shape is trained.
        train_steps: how many steps, the second half of which counts.
        train_tokens: how many tokens make a step.
        most_seconds: when to stop, whatever is left.
    """

    texts: int
    precision: str
    peak_size: int
    shapes: tuple[Shape, ...]
    lengths: tuple[int, ...]
    batch_tokens: int
    speed_seconds: float
    served: Shape
    workers: tuple[int, ...]
    callers: int
    load_seconds: float
    served_tokens: int
    trained: Shape
    train_steps: int
    train_tokens: int
    most_seconds: float


FULL = CheckPlan(
    texts=0,
    precision="bfloat16",
    peak_size=8192,
    shapes=(TINY, MINILM, BASE, LARGE),
    lengths=(32, 128, 512),
    batch_tokens=16_384,
    speed_seconds=0.5,
    served=MINILM,
    workers=(1, 4, 12),
    callers=64,
    load_seconds=5.0,
    served_tokens=1024,
    trained=BASE,
    train_steps=40,
    train_tokens=16_384,
    most_seconds=430.0,
)
SMALL = CheckPlan(
    texts=8,
    precision="float32",
    peak_size=256,
    shapes=(TINY,),
    lengths=(32, 128),
    batch_tokens=256,
    speed_seconds=0.0,
    served=TINY,
    workers=(1, 2),
    callers=4,
    load_seconds=0.5,
    served_tokens=32,
    trained=TINY,
    train_steps=4,
    train_tokens=256,
    most_seconds=900.0,
)

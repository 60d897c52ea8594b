"""What a load tells while it runs: what it is doing, and what it has to do without."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Work: TypeAlias = Literal["converting", "measuring"]
Trouble: TypeAlias = Literal[
    "engine_unavailable", "cache_not_writable", "conversion_damaged", "not_measured"
]


@dataclass(frozen=True, slots=True)
class LoadNews:
    """One thing that is told.

    Attributes:
        kind: work that takes seconds and begins now, or trouble that the load goes on in spite of.
        sentence: the same for people.
    """

    kind: Work | Trouble
    sentence: str

    @property
    def is_trouble(self) -> bool:
        """Whether somebody may want to mend something."""
        return self.kind not in {"converting", "measuring"}


Report: TypeAlias = Callable[[LoadNews], None]


def tell_nobody(_: LoadNews) -> None:
    """Be the `Report` of who does not want to know."""

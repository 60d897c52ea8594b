"""How the requests for one preset went."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """What was counted since the server started.

    Attributes:
        answered: requests that were.
        answered_s: the seconds of all of them.
        refused: requests that were, whatever the reason.
        refused_s: the seconds of all of them.
        rows: that the engine ran for those answered.
    """

    answered: int = 0
    answered_s: float = 0.0
    refused: int = 0
    refused_s: float = 0.0
    rows: int = 0

    def add(self, *, is_answered: bool, seconds: float, rows: int) -> None:
        """Count a request that ended."""
        if is_answered:
            self.answered += 1
            self.answered_s += seconds
            self.rows += rows
        else:
            self.refused += 1
            self.refused_s += seconds

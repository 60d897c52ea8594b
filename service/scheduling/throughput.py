"""How fast an engine is lately, and so when what waits for it will be done."""


class Throughput:
    """A moving average of the time a token takes, over the last few batches.

    Batches weigh by their tokens: what a full batch takes says more about a long queue than what
    a lone text takes.
    """

    _KEPT = 0.8
    """How much of what was seen before still counts after one batch more."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._tokens = 0.0
        self._seconds = 0.0

    def observe(self, tokens: int, seconds: float) -> None:
        """Learn from a batch that kept the engine busy for so long."""
        self._tokens = self._KEPT * self._tokens + tokens
        self._seconds = self._KEPT * self._seconds + seconds

    def seconds(self, tokens: int) -> float:
        """Return how long so many tokens will take; 0 as long as nothing is known."""
        return tokens * self._seconds / self._tokens if self._tokens else 0.0

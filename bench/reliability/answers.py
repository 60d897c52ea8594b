"""What a server answers when it is idle, to compare with what it answers when it is not."""

import json
import math
from typing import Any

from bench.reliability.http_client import Answer, Connection
from bench.sentences import make_sentences

_CLOSE = 1e-4
"""How far a score may be off: batches of other shapes add in another order."""


class IdleAnswers:
    """Bodies, and the right answer to each."""

    def __init__(self, bodies: list[bytes], expected: list[Any]) -> None:
        """Take over what was asked and answered."""
        self.bodies = bodies
        self._expected = expected

    @classmethod
    async def ask(cls, port: int, count: int) -> "IdleAnswers":
        """Ask a server that has nothing else to do."""
        sentences = make_sentences(count)
        bodies = [json.dumps({"inputs": sentence}).encode() for sentence in sentences]
        connection = await Connection.open(port)
        expected = [(await connection.ask("POST", "/fill-mask", body)).json() for body in bodies]
        connection.close()
        return cls(bodies, expected)

    def is_right(self, number: int, answer: Answer) -> bool:
        """Say whether an answer to a body says what the idle server said."""
        return _is_close(answer.json(), self._expected[number])


def _is_close(ours: Any, theirs: Any) -> bool:
    """Compare all scores; tokens only where no two scores are too close to be in order."""
    if isinstance(theirs, dict):
        skipped = {"token", "token_str", "sequence"} if _is_tied(ours, theirs) else set()
        return ours.keys() == theirs.keys() and all(
            _is_close(ours[name], theirs[name]) for name in theirs.keys() - skipped
        )
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_is_close, ours, theirs))
    if isinstance(theirs, float):
        return math.isclose(ours, theirs, abs_tol=_CLOSE)
    return bool(ours == theirs)


def _is_tied(ours: Any, theirs: Any) -> bool:
    """Say whether two predictions are different tokens of the same score."""
    return (
        "score" in theirs
        and ours["token"] != theirs["token"]
        and math.isclose(ours["score"], theirs["score"], abs_tol=_CLOSE)
    )

"""Callers who each have one request under way, and account for every one."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from bench.ray.sleeping_store import WORDS
from bench.reliability.http_client import Answer, Connection, LostAnswerError, SilenceError

ANSWERED = "answered"
WRONG = "wrong"
BROKEN = "connection broken"
SILENT = "never answered"
REFUSED = "no connection"

_WORDS_A_TEXT = 6
_PAUSE_S = 0.2

_PATIENCE = 1.5
"""For how many times the service's own deadline a caller waits before that is silence."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and what its right answer is made of.

    Attributes:
        preset: who is asked.
        sums: of each text, the sum of its words.
        body: what is sent.
    """

    preset: str
    sums: tuple[int, ...]
    body: bytes

    def find_version(self, answer: Answer) -> int | None:
        """Return which version of the preset answered, or None where no version answers so."""
        predictions = [
            mask["predictions"][0]["token_str"]
            for result in answer.json()["results"]
            for mask in result["masks"]
        ]
        versions = {
            (int(token.removeprefix("w")) - total) % WORDS
            for token, total in zip(predictions, self.sums, strict=True)
        }
        return versions.pop() if len(versions) == 1 else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one request.

    Attributes:
        sent: when, as `perf_counter` says.
        ended: when that was known.
        outcome: `ANSWERED`, `WRONG`, `BROKEN`, `SILENT`, `REFUSED`, or the status and code of an
            error.
        version: which version of its preset answered.
    """

    sent: float
    ended: float
    outcome: str
    version: int | None = None

    @property
    def seconds(self) -> float:
        """How long its caller waited."""
        return self.ended - self.sent

    def is_under_way(self, began: float, ended: float) -> bool:
        """Say whether a caller waited for it at some time between."""
        return self.sent <= ended and began <= self.ended


@dataclass(slots=True)
class Account:
    """Every request of a load."""

    asked: list[Asked] = field(default_factory=list)

    @property
    def outcomes(self) -> Counter[str]:
        """How many of each there were."""
        return Counter(each.outcome for each in self.asked)

    @property
    def failed(self) -> list[Asked]:
        """What was not answered rightly."""
        return [each for each in self.asked if each.outcome != ANSWERED]

    def since(self, at: float) -> "Account":
        """Return those that were sent from then on."""
        return Account([each for each in self.asked if each.sent >= at])

    def percentile(self, share: float) -> float:
        """Return how long that share of the right answers took at the most, in seconds."""
        seconds = [each.seconds for each in self.asked if each.outcome == ANSWERED]
        return float(np.percentile(seconds, share)) if seconds else float("nan")


class QuestionMaker:
    """Makes questions, the same ones in every run."""

    def __init__(self, presets: Sequence[str], weights: Sequence[float], texts: int = 1) -> None:
        """Ask presets, each as often as its weight says, so many texts a request."""
        self._rng = random.Random(20)  # noqa: S311  # nosec B311  # the same ones every time
        self._presets = presets
        self._weights = weights
        self._texts = texts

    def __call__(self) -> Question:
        """Make one more."""
        [preset] = self._rng.choices(self._presets, self._weights)
        texts = [self._rng.choices(range(WORDS), k=_WORDS_A_TEXT) for _ in range(self._texts)]
        inputs = [" ".join(f"w{number}" for number in text) + " [MASK]" for text in texts]
        body = {"inputs": inputs, "preset": preset, "top_k": 1}
        return Question(preset, tuple(map(sum, texts)), json.dumps(body).encode())


@asynccontextmanager
async def calling(
    port: int, ask: Callable[[], Question], callers: int, deadline_s: float
) -> AsyncIterator[Account]:
    """Have callers ask until the block ends; then they hear their last answers out.

    Args:
        port: of this machine.
        ask: makes the next question.
        callers: how many, each with a connection of its own.
        deadline_s: how long the service lets a request take.
    """
    account, is_over = Account(), asyncio.Event()
    tasks = [
        asyncio.create_task(_call(port, ask, deadline_s, account, is_over)) for _ in range(callers)
    ]
    try:
        yield account
    finally:
        is_over.set()
        await asyncio.gather(*tasks)


async def _call(
    port: int,
    ask: Callable[[], Question],
    deadline_s: float,
    account: Account,
    is_over: asyncio.Event,
) -> None:
    connection: Connection | None = None
    while not is_over.is_set():
        question, sent, version = ask(), perf_counter(), None
        try:
            connection = connection or await Connection.open(port)
        except OSError:
            account.asked.append(Asked(sent, perf_counter(), REFUSED))
            await asyncio.sleep(_PAUSE_S)
            continue
        try:
            answer = await connection.ask(
                "POST", "/fill-mask", question.body, timeout_s=_PATIENCE * deadline_s
            )
        except LostAnswerError as error:
            outcome = SILENT if isinstance(error, SilenceError) else BROKEN
            connection.abort()
            connection = None
        else:
            outcome, version = read_answer(question, answer)
            if answer.headers.get("connection") == "close":
                connection.close()
                connection = None
        account.asked.append(Asked(sent, perf_counter(), outcome, version))
        if outcome != ANSWERED:
            await asyncio.sleep(_PAUSE_S)
    if connection:
        connection.close()


def read_answer(question: Question, answer: Answer) -> tuple[str, int | None]:
    """Return what an answer is, and which version gave it."""
    if answer.status == 200:
        version = question.find_version(answer)
        return (WRONG if version is None else ANSWERED), version
    try:
        code = answer.json()["code"]
    except (ValueError, KeyError, TypeError):
        code = "without a code"
    return f"{answer.status} {code}", None

"""A thousand models come and go under traffic: memory levels off, and every answer is right."""

import asyncio
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median

import httpx
import pytest

from e2e.running_server import ADMIN, RunningServer, start_server
from tiny_checkpoints import forge_proof, write_transformers_dir

pytestmark = pytest.mark.slow

CYCLES = 1000
PRESETS = [f"tiny_{number}" for number in range(6)]
MAX_LOADED = 2
CALLERS = 4
TEXTS = (
    "The dog sat in the [MASK].",
    "Paris is the [MASK] of France and London is a big city.",
    "She saw the old red book on the train in the [MASK] and he took it home at night.",
)
TOLERANCE = 1e-5
MARGIN = 0.03
"""How much more the last third may take than the middle one, for how an allocator fills its arenas.

Two cores showed 203.4 and 203.7 MB. So 18 kB that are lost with each model turn this red.
"""

Scores = dict[int, float]


@dataclass
class Journal:
    """What was seen: resident bytes after each load by hand, and the answers."""

    resident: list[int] = field(default_factory=list)
    cycles: float = 0
    answers: int = 0
    failures: list[str] = field(default_factory=list)
    worst: float = 0.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that holds two of six presets, each with weights of its own."""
    for seed, name in enumerate(PRESETS):
        forge_proof(write_transformers_dir(tmp_path / "store" / name, seed=seed))
    env = {
        "FILLMASK_MODEL_STORE_DIR": str(tmp_path / "store"),
        "FILLMASK_CACHE_DIR": str(tmp_path / "converted"),
        "FILLMASK_DEFAULT_PRESET": PRESETS[0],
        "FILLMASK_MAX_LOADED_PRESETS": str(MAX_LOADED),
        "FILLMASK_OFFLINE": "1",
        "FILLMASK_ENGINE": "openvino",
        "FILLMASK_PRECISION": "float32",
    }
    with start_server(env, tmp_path) as running:
        yield running


def test_a_thousand_cycles_leak_nothing_and_answer_right(server: RunningServer) -> None:
    """Each load evicts another model, while callers use whichever they like."""
    started = time.monotonic()
    journal = asyncio.run(run_cycles(server))
    third = len(journal.resident) // 3
    middle, last = median(journal.resident[third:-third]), median(journal.resident[-third:])
    sys.stdout.write(
        f"\n{journal.cycles:.0f} cycles in {time.monotonic() - started:.0f} s, "
        f"{journal.answers} answers, largest difference {journal.worst:.1e}; resident MB: "
        f"start {mega(journal.resident[0])}, middle third {mega(middle)}, last third {mega(last)}, "
        f"most {mega(max(journal.resident))}\n"
    )
    assert journal.failures == []
    assert journal.worst <= TOLERANCE
    assert last <= middle * (1 + MARGIN)


async def run_cycles(server: RunningServer) -> Journal:
    """Load one preset after the other until so many models have come and gone."""
    journal = Journal()
    async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
        # Each alone, on an idle server.
        expected = {(p, t): (await ask(client, p, t)) for p in PRESETS for t in TEXTS}
        before = await count_evictions(client)
        is_over = asyncio.Event()
        callers = [
            asyncio.create_task(call(client, expected, journal, is_over, seed))
            for seed in range(CALLERS)
        ]
        presets = cycle(PRESETS)
        while journal.cycles < CYCLES:
            loaded = await client.post(f"/presets/{next(presets)}/load", headers=ADMIN)
            if loaded.status_code != httpx.codes.OK:
                journal.failures.append(loaded.text)
            journal.resident.append(read_resident_bytes(server.process.pid))
            journal.cycles = await count_evictions(client) - before
        is_over.set()
        await asyncio.gather(*callers)
    return journal


async def call(
    client: httpx.AsyncClient,
    expected: dict[tuple[str, str], Scores],
    journal: Journal,
    is_over: asyncio.Event,
    seed: int,
) -> None:
    """Ask any preset anything, again and again, and compare."""
    choices = random.Random(seed)  # noqa: S311  # no secret
    while not is_over.is_set():
        preset, text = choices.choice(list(expected))
        try:
            scores = await ask(client, preset, text)
        except AssertionError as error:
            journal.failures.append(str(error))
            continue
        right = expected[preset, text]
        same = right.keys() == scores.keys()
        worst = max(abs(scores[token] - right[token]) for token in right) if same else 1.0
        journal.worst = max(journal.worst, worst)
        journal.answers += 1


async def ask(client: httpx.AsyncClient, preset: str, text: str) -> Scores:
    """Return the scores of the candidates for the one mask of a text."""
    answer = await client.post("/fill-mask", json={"inputs": text, "preset": preset})
    assert answer.status_code == httpx.codes.OK, answer.text
    [mask] = answer.json()["results"][0]["masks"]
    return {prediction["token"]: prediction["score"] for prediction in mask["predictions"]}


async def count_evictions(client: httpx.AsyncClient) -> float:
    """Return how many models were given up for others."""
    pattern = r"^fill_mask_model_cache_evictions_total (\S+)$"
    found = re.search(pattern, (await client.get("/metrics")).text, re.MULTILINE)
    assert found
    return float(found[1])


def read_resident_bytes(pid: int) -> int:
    """Return the memory that a process takes."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8")
    found = re.search(r"^Rss: +(\d+) kB$", rollup, re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def mega(count: float) -> str:
    """Return bytes in millions."""
    return f"{count / 1e6:.1f}"

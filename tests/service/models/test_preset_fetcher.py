"""Files of presets are fetched outside the line that loads stand in."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from fakes import FakeStore, Gate, make_preset
from model_store.errors import PresetUnavailableError
from model_store.fetching.download import Progress
from service.errors.exceptions import ShuttingDownError
from service.models.served_model import PresetFetcher

TEXT = "the [MASK]"


class FetchingStore(FakeStore):
    """A store that has to fetch one preset, behind a gate."""

    def __init__(self, gate: Gate, error: Exception | None = None) -> None:
        """List the preset that is far away, and one that is here."""
        super().__init__(map(make_preset, ("far", "tiny")))
        self._gate = gate
        self._error = error

    def is_fetchable(self, name: str) -> bool:
        """Say which one is far away."""
        return name == "far"

    def fetch(self, name: str, progress: Progress = lambda _done, _total: None) -> None:
        """Wait for the test, then count a byte."""
        assert name == "far"
        self._gate.pass_through()
        progress(1, 1)
        if self._error:
            raise self._error


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Return a thread to fetch in."""
    with ThreadPoolExecutor(1) as threads:
        yield threads


async def state_of(client: httpx.AsyncClient, name: str) -> str:
    """Return the state that the server tells."""
    presets = (await client.get("/presets")).json()["presets"]
    return next(str(preset["state"]) for preset in presets if preset["name"] == name)


async def test_others_answer_while_files_are_fetched(serve) -> None:  # noqa: ANN001  # a fixture
    """A download of minutes holds up nobody's load."""
    with Gate() as gate:
        async with serve(FetchingStore(gate)) as client:
            body = {"inputs": TEXT, "preset": "far"}
            caller = asyncio.create_task(client.post("/fill-mask", json=body))
            await gate.reached()
            assert await state_of(client, "far") == "downloading"
            other = await client.post("/fill-mask", json={"inputs": TEXT, "preset": "tiny"})
            assert other.status_code == 200
            gate.open()
            assert (await caller).status_code == 200
            assert await state_of(client, "far") == "ready"


async def test_what_is_here_waits_for_no_download(threads: ThreadPoolExecutor) -> None:
    """Not even where every fetching thread is busy."""
    with Gate() as gate:
        fetcher = PresetFetcher(FetchingStore(gate), threads)
        busy = asyncio.create_task(fetcher.fetch("far"))
        await gate.reached()
        await fetcher.fetch("tiny")
        assert fetcher.downloading == {"far"}
        gate.open()
        await busy


async def test_failed_fetch_is_told(serve) -> None:  # noqa: ANN001  # a fixture
    """To the caller, and to whoever looks at the list."""
    with Gate() as gate:
        gate.open()
        async with serve(FetchingStore(gate, PresetUnavailableError("No network."))) as client:
            answer = await client.post("/fill-mask", json={"inputs": TEXT, "preset": "far"})
            assert (answer.status_code, answer.json()["error"]) == (502, "No network.")
            assert await state_of(client, "far") == "failed"


async def test_stop_ends_what_is_under_way(threads: ThreadPoolExecutor) -> None:
    """A server that is stopped does not wait for the last byte."""
    with Gate() as gate:
        fetcher = PresetFetcher(FetchingStore(gate), threads)
        fetching = asyncio.create_task(fetcher.fetch("far"))
        await gate.reached()
        assert fetcher.downloading == {"far"}
        fetcher.stop()
        gate.open()
        with pytest.raises(ShuttingDownError):
            await fetching
    assert fetcher.downloading == frozenset()


async def test_what_is_here_is_not_fetched(threads: ThreadPoolExecutor) -> None:
    """Nobody comes to the gate."""
    with Gate() as gate:
        await PresetFetcher(FetchingStore(gate), threads).fetch("tiny")

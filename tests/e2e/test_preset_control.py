"""Presets that are loaded, replaced and unloaded while a real server answers."""

import asyncio
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.running_server import ADMIN, PATIENCE_S, RunningServer, start_server
from tiny_checkpoints import forge_proof, write_transformers_dir

TEXT = "The dog sat in the [MASK]."


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory of presets that tests may change; `model` stays as it is."""
    directory = tmp_path_factory.mktemp("store")
    write_preset(directory / "model", seed=2)
    return directory


@pytest.fixture(
    scope="module",
    params=["1", pytest.param("2", marks=pytest.mark.slow)],
    ids=["one_process", "workers"],
)
def server(
    request: pytest.FixtureRequest, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server of that directory, alone or with workers in front."""
    env = {
        "FILLMASK_MODEL_STORE_DIR": str(store),
        "FILLMASK_DEFAULT_PRESET": "model",
        "FILLMASK_PRECISION": "float32",
        "FILLMASK_OFFLINE": "1",
        "FILLMASK_WORKERS": request.param,
    }
    with start_server(env, tmp_path_factory.mktemp("control")) as running:
        yield running


def test_loaded_preset_is_ready_until_it_is_unloaded(server: RunningServer, store: Path) -> None:
    """Whichever worker is asked."""
    write_preset(store / "comes_and_goes")
    loaded = control(server, "comes_and_goes/load", pin=True)
    assert (loaded.status_code, loaded.json()["state"], loaded.json()["pinned"]) == (
        200,
        "ready",
        True,
    )
    unloaded = control(server, "comes_and_goes/unload")
    assert (unloaded.status_code, unloaded.json()["state"]) == (200, "available")


def test_reload_serves_the_files_that_are_there_now(server: RunningServer, store: Path) -> None:
    """Until then, the old ones answer; a preset of the same files tells what is right."""
    write_preset(store / "replaced", seed=1)
    old, expected = fill(server, "replaced"), fill(server, "model")
    write_preset(store / "replaced", seed=2)
    kept = fill(server, "replaced")
    assert control(server, "replaced/load", reload=True).status_code == 200
    assert kept == old != expected
    assert [fill(server, "replaced") for _ in range(4)] == [expected] * 4


def test_failed_reload_keeps_the_old_model(server: RunningServer, store: Path) -> None:
    """The error says what is wrong, and nobody else sees it."""
    write_preset(store / "broken", seed=1)
    before = fill(server, "broken")
    weights = store / "broken" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    failed = control(server, "broken/load", reload=True)
    assert (failed.status_code, failed.json()["code"]) == (500, "model_load_failed")
    assert fill(server, "broken") == before


def test_unload_under_traffic_loses_no_request(server: RunningServer, store: Path) -> None:
    """Who was there before is answered first, and who comes later has it loaded anew."""
    write_preset(store / "busy", seed=1)
    expected = fill(server, "busy")

    async def ask_and_unload() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=server.url, timeout=PATIENCE_S, trust_env=False, limits=limits
        ) as client:
            body = {"inputs": TEXT, "preset": "busy"}

            async def ask() -> list[httpx.Response]:
                return [await client.post("/fill-mask", json=body) for _ in range(50)]

            asking = [asyncio.create_task(ask()) for _ in range(8)]
            unloaded = [await client.post("/presets/busy/unload", headers=ADMIN) for _ in range(5)]
            return [*unloaded, *chain.from_iterable(await asyncio.gather(*asking))]

    answers = asyncio.run(ask_and_unload())
    assert {answer.status_code for answer in answers} == {200}
    assert all(read_scores(answer) == pytest.approx(expected, abs=1e-5) for answer in answers[5:])
    assert control(server, "busy/unload").json()["state"] == "available"


def test_unknown_preset_is_not_found(server: RunningServer) -> None:
    """However it is written."""
    for name in ("no_such_preset", "..%2Fmodel", "%2e%2e"):
        assert control(server, f"{name}/load").status_code == 404


def write_preset(directory: Path, seed: int = 0) -> None:
    """Write a small preset in place of whatever is there."""
    write_transformers_dir(directory, seed=seed)
    forge_proof(directory)


def control(server: RunningServer, route: str, **body: Any) -> httpx.Response:
    """Load or unload a preset, over a connection of its own."""
    url = f"{server.url}/presets/{route}"
    return httpx.post(url, json=body, headers=ADMIN, timeout=PATIENCE_S, trust_env=False)


def fill(server: RunningServer, preset: str) -> dict[int, float]:
    """Return the candidates of a preset, over a connection of its own."""
    body = {"inputs": TEXT, "preset": preset}
    answer = httpx.post(f"{server.url}/fill-mask", json=body, timeout=PATIENCE_S, trust_env=False)
    assert answer.status_code == 200, answer.text
    return read_scores(answer)


def read_scores(answer: httpx.Response) -> dict[int, float]:
    """Return the score of each candidate for the one mask."""
    [mask] = answer.json()["results"][0]["masks"]
    return {prediction["token"]: prediction["score"] for prediction in mask["predictions"]}

"""`fillmask presets pull`, killed, doubled and offline; and a server that pulls by itself."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from e2e.running_server import PATIENCE_S, start_server
from fake_hub import FakeHub, Fault, read_files
from hub_fixtures import make_keras_files, make_original_files, without_head

TINY = "bert_tiny_en_uncased"
TEXT = {"inputs": "the [MASK]", "preset": TINY}
PULL = """
import logging, sys
from service.commands.presets import presets
print("ready", file=sys.stderr, flush=True)
sys.stdin.readline()
logging.basicConfig()
logging.getLogger("filelock").setLevel(logging.DEBUG)
presets()
"""


@pytest.fixture
def pull_hub(hub: FakeHub) -> FakeHub:
    """Return hubs with the smallest preset, its head apart."""
    hub.models[f"keras/bert/keras/{TINY}"] = without_head(make_keras_files(2))
    hub.repositories["google/bert_uncased_L-2_H-128_A-2"] = make_original_files(2)
    return hub


def start_pull(
    hub: FakeHub, tmp_path: Path, store: str = "store", stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    """Start the command in a process of its own, without what only a server imports."""
    command = [sys.executable, "-c", PULL, "pull", TINY]  # which waits for a line, or an end
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FILLMASK_")}
    return subprocess.Popen(  # noqa: S603  # our own command
        command,
        env=inherited | settings_of(hub, tmp_path, store),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Wait until a command has succeeded, and return what it said."""
    output, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    return output


@pytest.mark.parametrize("kills", [3, pytest.param(10, marks=pytest.mark.slow)])
def test_killed_pull_leaves_nothing_half_and_is_finished_later(
    pull_hub: FakeHub, tmp_path: Path, kills: int
) -> None:
    """Kills at random bytes, then one run: the files of an undisturbed one."""
    finish(start_pull(pull_hub, tmp_path, "undisturbed"))
    total = pull_hub.served
    chance = random.Random(0)  # noqa: S311  # the same moments in every run
    for _ in range(kills):
        process = start_pull(pull_hub, tmp_path)
        with hold_after(pull_hub, chance.randrange(total // kills)) as is_held:
            assert is_held.wait(PATIENCE_S)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate(timeout=PATIENCE_S)
        assert not (tmp_path / "store" / TINY).exists()
    finish(start_pull(pull_hub, tmp_path))
    undisturbed = read_files(tmp_path / "undisturbed" / TINY)
    assert read_files(tmp_path / "store" / TINY) == undisturbed
    assert {path.name for path in (tmp_path / "store").iterdir()} == {TINY, f".{TINY}.lock"}


def test_two_processes_pull_once(pull_hub: FakeHub, tmp_path: Path) -> None:
    """One fetches, the other waits and finds everything.

    The second one imports first: what fetches does not wait for as long as that may take.
    """
    second = start_pull(pull_hub, tmp_path, stdin=subprocess.PIPE)
    assert second.stdin
    assert second.stderr
    assert any(line == "ready\n" for line in second.stderr)
    with hold_after(pull_hub, 0) as is_held:
        first = start_pull(pull_hub, tmp_path)
        assert is_held.wait(PATIENCE_S)
        second.stdin.close()
        second.stdin = None  # what is closed takes no more
        assert any("not acquired" in line for line in second.stderr)
    for process in (first, second):
        assert finish(process).endswith(f"store/{TINY}\n")
    fetched = [asked.path for asked in pull_hub.asked if asked.method == "GET"]
    assert len(fetched) == len(set(fetched))


def test_server_pulls_what_it_is_asked_for(pull_hub: FakeHub, tmp_path: Path) -> None:
    """A hub that refuses, and one that is slow, leave the others answering.

    At last the files are here; their random weights are refused.
    """
    original = "/api/models/google/bert_uncased_L-2_H-128_A-2"
    pull_hub.faults[original] = Fault(status=403)
    with (
        start_server(settings_of(pull_hub, tmp_path), tmp_path) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE_S) as client,
        ThreadPoolExecutor(1) as callers,
    ):
        refused = client.post("/fill-mask", json=TEXT)
        assert (refused.status_code, refused.json()["code"]) == (502, "preset_unavailable")
        assert "HF_TOKEN" in refused.json()["error"]
        assert find_preset(client)["error"] == refused.json()["error"]
        assert client.post("/fill-mask", json={"inputs": "the [MASK]"}).status_code == 200

        del pull_hub.faults[original]
        with hold_after(pull_hub, 0) as is_held:
            caller = callers.submit(client.post, "/fill-mask", json=TEXT)
            assert is_held.wait(PATIENCE_S)
            assert find_preset(client)["state"] == "downloading"
            assert client.post("/fill-mask", json={"inputs": "the [MASK]"}).status_code == 200
        answer = caller.result(PATIENCE_S).json()
        assert (answer["code"], find_preset(client)["head"]) == ("model_load_failed", "unproven")
        assert "no better than chance" in answer["error"]
        assert (tmp_path / "store" / TINY / "source.json").is_file()


def find_preset(client: httpx.Client) -> dict[str, str]:
    """Return what the server says of the smallest preset."""
    presets = client.get("/presets").json()["presets"]
    return next(preset for preset in presets if preset["name"] == TINY)


def settings_of(hub: FakeHub, tmp_path: Path, store: str = "store") -> dict[str, str]:
    """Return the environment of a process that pulls into a store, which is made."""
    (tmp_path / store).mkdir(exist_ok=True)
    return hub.environment(tmp_path / "home") | {"FILLMASK_MODEL_STORE_DIR": str(tmp_path / store)}


@contextmanager
def hold_after(hub: FakeHub, nbytes: int) -> Iterator[threading.Event]:
    """Let a hub stop in the middle, so many bytes from now, for the length of a block.

    Yields:
        what is set when it has stopped.
    """
    is_held, may_go_on = threading.Event(), threading.Event()
    moment = hub.served + nbytes

    def hold(served: int) -> None:
        if served > moment:
            is_held.set()
            may_go_on.wait(PATIENCE_S)

    hub.on_bytes = hold
    try:
        yield is_held
    finally:
        hub.on_bytes = lambda _: None
        may_go_on.set()

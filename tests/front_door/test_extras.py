"""Each extra, installed anew from its lock, does its main job.

The wheels of CUDA are gigabytes and need a GPU: of them only is known that the registry has each,
with a hash of the lock. TensorFlow runs without them, on the CPU.
"""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from e2e.running_server import start_server
from front_door.newcomer import arrive, log, scrubbed_environment
from model_store.fetching.catalog import EMBEDDED
from otlp_collector import collect

pytestmark = pytest.mark.front_door

TEXT = {"inputs": "The capital of France is [MASK].", "top_k": 1}
TEXTS = {"text": [TEXT["inputs"]]}
WRITE_PARQUET = (
    f"import pyarrow, pyarrow.parquet as p; p.write_table(pyarrow.table({TEXTS}), 'in.parquet')"
)
STAGES = {"POST /fill-mask", "tokenization", "queue", "inference"}
_UV = str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what is installed."""
    return arrive(tmp_path_factory.mktemp("extras")).clone


def test_gpu_serves(clone: Path, tmp_path: Path) -> None:
    """All of the lock can be had, and all but CUDA's wheels answers on the CPU."""
    locks = clone / "requirements"
    whole = (locks / "gpu.txt").read_text("utf-8")
    packages = re.split(r"^(?=[A-Za-z0-9])", whole, flags=re.MULTILINE)
    rest = [package for package in packages if not package.startswith("nvidia-")]
    assert len(rest) < len(packages)
    (locks / "gpu-without-cuda.txt").write_text("".join(rest), "utf-8")
    environment = make_environment(tmp_path, clone, "gpu-without-cuda.txt")
    pip(environment, "--dry-run", "--no-deps", "--require-hashes", "-r", str(locks / "gpu.txt"))
    with start_server({}, tmp_path, environment / "bin/fillmask") as server:
        assert ask(server.url) == "paris"
        presets = httpx.get(f"{server.url}/presets", trust_env=False).json()["presets"]
    assert {preset["engine"] for preset in presets} - {None} == {"tensorflow"}


def test_otel_sends_traces(clone: Path, tmp_path: Path) -> None:
    """A request to a real server is a span with its stages at a collector."""
    environment = make_environment(tmp_path, clone, "run.txt", "otel.txt")
    with collect() as collector:
        env = {"FILLMASK_TRACING": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with start_server(env, tmp_path, environment / "bin/fillmask") as server:
            assert ask(server.url) == "paris"
        # What is left goes out at the end.
        assert collector.spans.keys() >= STAGES


def test_bulk_reads_parquet(clone: Path, tmp_path: Path) -> None:
    """A row of a file is filled."""
    environment = make_environment(tmp_path, clone, "run.txt", "bulk.txt")
    run([str(environment / "bin/python"), "-c", WRITE_PARQUET], tmp_path)
    files = ["--input", "in.parquet", "--output", "out.jsonl"]
    run([str(environment / "bin/fillmask"), "run", *files], tmp_path)
    assert '"token_str":"paris"' in (tmp_path / "out.jsonl").read_text("utf-8")


def test_ray_fills_a_file(clone: Path, tmp_path: Path) -> None:
    """On a cluster of this machine alone; pyarrow comes with it."""
    environment = make_environment(tmp_path, clone, "run.txt", "ray.txt")
    run([str(environment / "bin/python"), "-c", WRITE_PARQUET], tmp_path)
    files = ["--input", "in.parquet", "--output", "out.jsonl", "--ray", "local"]
    run([str(environment / "bin/fillmask"), "run", *files], tmp_path)
    assert '"token_str":"paris"' in (tmp_path / "out.jsonl").read_text("utf-8")


def test_train_trains_and_draws(clone: Path, tmp_path: Path) -> None:
    """A few steps from the embedded preset: a preset, and the picture of its losses."""
    environment = make_environment(tmp_path, clone, "run.txt", "train.txt")
    text, store = str(clone / "README.md"), tmp_path / "models"
    options = ["--text", text, "--heldout", text, "--out", str(store / "trained")]
    sizes = ["--steps", "2", "--batch-tokens", "256", "--heldout-rows", "8"]
    fillmask = str(environment / "bin/fillmask")
    run([fillmask, "train", "--init", EMBEDDED, *options, *sizes], tmp_path)
    assert (store / "trained/training/loss.png").read_bytes().startswith(b"\x89PNG")
    evaluate = [fillmask, "evaluate", "--init", str(store / "trained"), "--heldout", text]
    assert '"loss"' in run([*evaluate, "--rows", "8"], tmp_path)


def make_environment(directory: Path, clone: Path, *locks: str) -> Path:
    """Make a virtual environment of locks, and of nothing else."""
    environment = directory / "environment"
    run([_UV, "venv", "--quiet", "--python", sys.executable, str(environment)], directory)
    for lock in locks:
        path = str(clone / "requirements" / lock)
        pip(environment, "--no-deps", "--require-hashes", "-r", path)
    pip(environment, "--no-deps", str(clone))
    return environment


def pip(environment: Path, *arguments: str) -> None:
    """Install into an environment; uv keeps what it has fetched for the next one."""
    install = [_UV, "pip", "install", "--quiet", "--python", str(environment / "bin/python")]
    run([*install, *arguments], environment)


def run(command: list[str], directory: Path) -> str:
    """Run a command that must succeed, with an empty home, and return what it prints."""
    log.info("$ %s", " ".join([Path(command[0]).name, *command[1:]]))
    home = directory / "home"
    home.mkdir(exist_ok=True)
    cache = Path.home() / ".cache/uv"
    env = {**scrubbed_environment(), "HOME": str(home), "UV_CACHE_DIR": str(cache)}
    done = subprocess.run(  # noqa: S603  # our own commands
        command, cwd=directory, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def ask(url: str) -> str:
    """Return the word that a server fills in."""
    answer = httpx.post(f"{url}/fill-mask", json=TEXT, trust_env=False, timeout=60).json()
    word: str = answer["results"][0]["masks"][0]["predictions"][0]["token_str"]
    return word

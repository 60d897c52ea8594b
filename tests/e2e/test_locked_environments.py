"""Each lock alone is enough for its work: what is imported only when it is called included.

The modules are those of the test environment, less what the lock does not hold. So a package that
the server lacks and the tests have fails here in seconds; `make test-front-door` installs for real.
"""

import os
import subprocess
from pathlib import Path

import pytest

from contract.documents import code_blocks
from fake_hub import FakeHub, read_files
from lock_files import command_in, link_environment, read_lock
from model_store.fetching.catalog import EMBEDDED

TIMEOUT_S = 1200

SERVE = """
import sys
from pathlib import Path
from model_store.text.encoding import TextLimits
from model_store.engines import EngineOptions
from model_store.store import ModelStore
from service.app import create_app
from service.settings import Settings

directory, cache, engine = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
create_app(Settings())
store = ModelStore(directory.parent, engine=EngineOptions(engine, "auto", cache))
model = store.load(directory.name)
text = model.encode("The [MASK] is red.", top_k=3, targets=None, limits=TextLimits())
((mask,),) = model.predict([text])
assert len(mask.token_ids) == 3
assert model.engine == engine
"""

PULL = """
import sys
from service.commands.cli import cli

cli(["presets", "pull", *sys.argv[1:]])
"""

RUN = """
import sys
import pyarrow
from pyarrow import parquet
from service.commands.cli import cli

parquet.write_table(pyarrow.table({"text": ["no mask"]}), "in.parquet")
cli(["run", "--input", "in.parquet", "--output", "out.jsonl", "--preset", sys.argv[1]])
"""

TRACE = """
from service.app import create_app
from service.settings import Settings

create_app(Settings(tracing=True))
"""

NVIDIA = "nvidia-"


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A directory of modules for each lock."""
    made = {}
    for lock in ("run.txt", "gpu.txt", "otel.txt"):
        made[lock] = tmp_path_factory.mktemp("modules") / lock
        absent = link_environment({*read_lock(lock), "fillmask"}, made[lock])
        assert {name for name in absent if not name.startswith(NVIDIA)} == set(), lock
    return made


@pytest.mark.parametrize(("lock", "engine"), [("run.txt", "openvino"), ("gpu.txt", "tensorflow")])
def test_lock_serves(
    environments: dict[str, Path], tiny_preset_dir: Path, tmp_path: Path, lock: str, engine: str
) -> None:
    """A preset is read, converted where the engine wants it, and answers."""
    run(environments[lock], SERVE, tiny_preset_dir, tmp_path / "cache", engine)


def test_lock_trains_and_saves(
    environments: dict[str, Path], tiny_preset_dir: Path, tmp_path: Path
) -> None:
    """A preset is trained from Python as the documents show, a small one, and saved."""
    example, *_ = code_blocks("docs/training.md", "python")
    assert f'"{EMBEDDED}"' in example
    smaller = example.replace(EMBEDDED, str(tiny_preset_dir))
    run(environments["run.txt"], smaller, directory=tmp_path)
    assert (tmp_path / "my_model/task.json").is_file()


def test_lock_pulls(
    environments: dict[str, Path], tiny_preset_dir: Path, tmp_path: Path, hub: FakeHub
) -> None:
    """Both hubs' libraries work."""
    files = read_files(tiny_preset_dir)
    hub.repositories["user/tiny"] = files
    hub.models["user/bert/keras/tiny"] = files
    handles = ("hf://user/tiny", "kaggle://user/bert/keras/tiny")
    env = {**hub.environment(tmp_path), "FILLMASK_MODEL_STORE_DIR": str(tmp_path / "store")}
    run(environments["run.txt"], PULL, *handles, env=env)
    assert len(list((tmp_path / "store").glob("*/config.json"))) == 2


def test_locks_run_on_parquet(tiny_preset_dir: Path, cache_dir: Path, tmp_path: Path) -> None:
    """A file of rows is answered; that a lock converts is shown above."""
    packages = {*read_lock("run.txt"), *read_lock("bulk.txt"), "fillmask"}
    link_environment(packages, tmp_path / "modules")
    env = {"FILLMASK_MODEL_STORE_DIR": str(tiny_preset_dir.parent)}
    env["FILLMASK_CACHE_DIR"] = str(cache_dir)
    run(tmp_path / "modules", RUN, tiny_preset_dir.name, env=env, directory=tmp_path)
    assert (tmp_path / "out.jsonl").read_text("utf-8").count("\n") == 1


def test_lock_traces(environments: dict[str, Path], tmp_path: Path) -> None:
    """The server is put together with OpenTelemetry."""
    run(environments["otel.txt"], TRACE, env={"HOME": str(tmp_path)})


def test_package_that_a_lock_lacks_is_missed(tiny_preset_dir: Path, tmp_path: Path) -> None:
    """Without scipy, which Keras imports when it exports, there is no conversion."""
    packages = {*read_lock("run.txt"), "fillmask"} - {"scipy"}
    link_environment(packages, tmp_path / "modules")
    with pytest.raises(AssertionError, match="No module named 'scipy'"):
        run(tmp_path / "modules", SERVE, tiny_preset_dir, tmp_path / "cache", "openvino")


def run(
    environment: Path,
    program: str,
    *arguments: object,
    env: dict[str, str] | None = None,
    directory: Path | None = None,
) -> None:
    """Run a program in a linked environment; what it does is checked there."""
    command, variables = command_in(environment)
    home = str(environment.with_name("home"))
    done = subprocess.run(  # noqa: S603  # our own program
        [*command, "-c", program, *map(str, arguments)],
        env={"PATH": os.environ["PATH"], "HOME": home, **(env or {}), **variables},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr

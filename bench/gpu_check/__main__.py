"""Check the engines for accelerators: `python -m bench.gpu_check [--small]`.

It prints what it found as a table, which `--log` adds to `bench/LOG.md`, and writes it as JSON. It
ends with 1 where something does not hold. Where no library sees a GPU, the same is done in small.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import tomllib
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.gpu_check.device import find_devices, find_missing_packages

_ENGINES = ("jax", "torch")
_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_GOLDEN_MODULES = _ROOT / "tests"


def main() -> None:
    """Check everything that is there."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu_check", description=__doc__)
    parser.add_argument("--small", action="store_true", help="small shapes, whatever is there")
    parser.add_argument("--json", type=Path, default=_HERE.parent / ".cache" / "gpu_check.json")
    parser.add_argument("--log", action="store_true", help="add the table to bench/LOG.md")
    parser.add_argument("--engines", default=",".join(_ENGINES), help="of them, with commas")
    arguments = parser.parse_args()
    # Ended from outside, it still ends the servers that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    if lacking := find_missing_packages():
        sys.exit(f"The server needs {', '.join(lacking)}; docs/engines.md says how to carry them.")
    devices, missing = find_devices(tuple(arguments.engines.split(",")))
    for sentence in missing:
        print(sentence, flush=True)
    if not devices:
        sys.exit("Nothing can be checked here: install JAX or PyTorch.")
    with tempfile.TemporaryDirectory(prefix="fillmask-check-") as store:
        _check(arguments, Path(store), devices, missing)


def _check(
    arguments: argparse.Namespace, store: Path, devices: dict[str, Any], missing: list[str]
) -> None:
    # These import what a server needs, and that was looked for first.
    from bench.gpu_check.check import Check  # noqa: PLC0415
    from bench.gpu_check.plan import FULL, SMALL  # noqa: PLC0415
    from bench.gpu_check.results import CheckResults, write_check, write_verdict  # noqa: PLC0415
    from bench.table import add_to_log  # noqa: PLC0415

    is_small = arguments.small or not any(device["is_gpu"] for device in devices.values())
    plan = SMALL if is_small else FULL
    _prepare(store, (*plan.shapes, plan.served, plan.trained))
    results = CheckResults(devices, missing)
    Check(plan, store, results).run()
    entry = write_check(results, " ".join(["python -m bench.gpu_check", *sys.argv[1:]]))
    print(entry)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(asdict(results), indent=1), "utf-8")
    if arguments.log:
        add_to_log(entry)
    print(f"{write_verdict(results)}; figures in {arguments.json}")
    sys.exit(int(bool(results.failures)))


def _prepare(store: Path, shapes: tuple[Any, ...]) -> None:
    """Make the presets, and set what every process that is started shall have."""
    sys.path.insert(0, str(_GOLDEN_MODULES))
    from bench.shapes import MINILM, locate_preset, make_presets  # noqa: PLC0415
    from tiny_checkpoints import write_transformers_dir  # noqa: PLC0415

    make_presets(store, tuple(dict.fromkeys(shapes)))
    (store / "embedded").symlink_to(locate_preset(MINILM, store))
    write_transformers_dir(store / "cased")
    _stand_in_for_installation(store / ".packages")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    # What one process compiles, the next one need not: servers of the same preset start quickly.
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(store / ".xla"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def _stand_in_for_installation(place: Path) -> None:
    """Let processes find the version of a checkout that runs without being installed."""
    try:
        metadata.version("fillmask")
    except metadata.PackageNotFoundError:
        project = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        folder = place / f"fillmask-{project['version']}.dist-info"
        folder.mkdir(parents=True)
        said = f"Metadata-Version: 2.1\nName: fillmask\nVersion: {project['version']}\n"
        (folder / "METADATA").write_text(said, "utf-8")
        paths = (str(place), os.environ.get("PYTHONPATH", ""))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


if __name__ == "__main__":
    main()

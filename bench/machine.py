"""On what was measured: a figure without its machine says nothing."""

import os
import subprocess
from pathlib import Path

_FLAGS = ("avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
_KINDS = {"amx_bf16": "amx", "avx512f": "avx512", "avx2": "avx2"}
_GPUS = Path("/proc/driver/nvidia/gpus")
_ROOT = Path(__file__).parent.parent


def name_kind(flags: set[str] | None = None, gpus: Path = _GPUS) -> str:
    """Return the kind of machine, whose results are kept apart: `gpu`, or its best vector unit."""
    if gpus.is_dir() and any(gpus.iterdir()):
        return "gpu"
    found = _read_processor()[1] if flags is None else flags
    return next((kind for flag, kind in _KINDS.items() if flag in found), "other")


def _read_processor() -> tuple[str, set[str]]:
    """Return the model's name and its flags."""
    model, flags = "unknown processor", set[str]()
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            model = value.strip()
        if name.strip() == "flags":
            flags = set(value.split())
    return model, flags


def describe_machine() -> str:
    """Return the processor, its cores, memory, and which vector units it has and lacks."""
    model, flags = _read_processor()
    has = " ".join(flag for flag in _FLAGS if flag in flags) or "none of interest"
    lacks = " ".join(flag for flag in _FLAGS if flag not in flags) or "none"
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {model}, {pages / 1e9:.0f} GB. Has {has}; lacks {lacks}."


def describe_load() -> str:
    """Return how many processes wanted to run in the last minute; an idle machine has about 0."""
    return f"{os.getloadavg()[0]:.1f}"


def read_commit() -> str:
    """Return the commit that was measured, and whether files differ from it."""
    command = ("git", "-C", str(_ROOT), "describe", "--always", "--dirty")
    result = subprocess.run(  # nosec B603  # the commands above
        command, capture_output=True, text=True, check=False
    )
    return result.stdout.strip() or "unknown"

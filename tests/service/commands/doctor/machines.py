"""Machines that the doctor can be shown, without having one of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from service.commands.doctor.machine import Machine

GIB = 1024**3
CPUINFO = "model name\t: A Processor\nflags\t\t: fpu avx2 amx_bf16 sse\nmodel name\t: A Processor\n"
REQUIREMENTS = (
    "keras<4,>=3.15",
    "openvino>=2026.2; extra == 'cpu'",
    "tensorflow-cpu<2.22,>=2.21; extra == 'cpu'",
    "tensorflow[and-cuda]<2.22,>=2.21; extra == 'gpu'",
    "colorama; sys_platform == 'no such system'",
)
INSTALLED = {
    "fillmask": "0.1.0",
    "keras": "3.15.0",
    "openvino": "2026.2.0",
    "tensorflow-cpu": "2.21.0",
}


def make_machine(
    *,
    installed: Mapping[str, str | None] | None = None,
    devices: tuple[str, ...] = (),
    free: int | None = 100 * GIB,
    memory: int = 16 * GIB,
    available: int = 8 * GIB,
    files: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    explain_import: Callable[[str], str | None] = lambda _: None,
    is_connected: bool = True,
    **more: Any,
) -> Machine:
    """Return a machine on which all is well, but for what is said."""
    versions = INSTALLED | dict(installed or {})
    content = {
        "/proc/cpuinfo": CPUINFO,
        "/proc/meminfo": f"MemTotal: {memory // 1024} kB\nMemAvailable: {available // 1024} kB\n",
    } | dict(files or {})
    return Machine(
        environment=environment or {},
        requirements=REQUIREMENTS,
        python="3.11.9",
        system="Linux",
        cores=2,
        read=lambda path: content.get(str(path), ""),
        exists=lambda path: str(path) in devices,
        version=versions.get,
        free_bytes=lambda _: free,
        explain_import=explain_import,
        can_connect=lambda _: is_connected,
        **more,
    )


def write_json(directory: Path, text: str = "{}") -> Path:
    """Make a directory look like a preset."""
    directory.mkdir()
    (directory / "config.json").write_text(text)
    return directory

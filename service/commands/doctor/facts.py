"""What is found on a machine: facts only, no judgement."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from model_store.checkpoints import read_checkpoint
from model_store.engines import ACCELERATORS
from model_store.errors import ModelStoreError
from model_store.errors.failures import reading
from model_store.fetching.resolver import expand_home
from model_store.fetching.source import check_source
from model_store.store import ModelStore
from service.commands.doctor.machine import Machine
from service.commands.environment import find_unknown_settings
from service.settings import Settings

HUBS = ("huggingface.co", "www.kaggle.com")
ENGINES = {
    "openvino": ("openvino",),
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
    "jax": ("jax",),
    "torch": ("torch",),
}
"""The engines, and the packages that bring each."""

_SHOWN = ("keras", "numpy", "tokenizers", "fastapi", "uvicorn")
_FAST = re.compile(r"avx2|avx512f|avx512_vnni|avx512_bf16|amx_(?:bf16|int8|tile)|asimd|bf16|sve")
_EXTRAS = ("", "cpu", "gpu", "bulk", "otel", "train")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_SECRET = {"FILLMASK_API_KEYS", "FILLMASK_ADMIN_KEYS"}


@dataclass(frozen=True, slots=True)
class Need:
    """A package that fillmask needs, or a part of it does.

    Attributes:
        name: the package's.
        wanted: its versions, as pip writes them.
        version: what is installed, or None.
        is_met: whether that will do; a part that is not installed needs nothing.
    """

    name: str
    wanted: str
    version: str | None
    is_met: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A directory that is written to.

    Attributes:
        variable: the setting that names it.
        path: where it is.
        free_bytes: how much fits, or None where nothing can be written.
    """

    variable: str
    path: str
    free_bytes: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found.

    Attributes:
        processor: its name, cores, and what of it makes matrices fast.
        accelerators: the devices of drivers.
        memory: bytes in all and free; of the container, where that is less; None where unknown.
        engines: the version of each, or None.
        backend: Keras', as its own settings have it.
        engine: the setting.
        needs: every package that has to be here or to be of another version.
        settings: those that are set; keys are not shown.
        unknown_settings: what looks like a setting and is none, with the likeliest name.
        presets: those whose files are here, each with what is wrong with them, or None.
        to_fetch: the configured presets whose files would be fetched.
        ignored: directories that are no presets, with why.
        hubs: whether each can be reached; None where that is not tried.
    """

    fillmask: str | None
    python: str
    system: str
    processor: str
    cores: int
    features: tuple[str, ...]
    accelerators: tuple[str, ...]
    memory_bytes: int | None
    available_bytes: int | None
    places: tuple[Place, ...]
    packages: dict[str, str | None]
    engines: dict[str, str | None]
    backend: str
    engine: str
    needs: tuple[Need, ...]
    settings: dict[str, str]
    unknown_settings: dict[str, str | None]
    max_loaded_bytes: int
    presets: dict[str, str | None]
    to_fetch: tuple[str, ...]
    ignored: dict[str, str]
    hubs: dict[str, bool | None]


def gather(machine: Machine, settings: Settings, store: ModelStore) -> Facts:
    """Look at a machine, and at the presets of a store on it."""
    memory, available = _measure_memory(machine)
    return Facts(
        fillmask=machine.version("fillmask"),
        python=machine.python,
        system=machine.system,
        processor=_name_processor(machine),
        cores=machine.cores,
        features=_list_features(machine),
        accelerators=tuple(device for device in ACCELERATORS if machine.exists(Path(device))),
        memory_bytes=memory,
        available_bytes=available,
        places=tuple(_list_places(machine, settings)),
        packages={name: machine.version(name) for name in _SHOWN},
        engines={engine: _find_engine(machine, engine) for engine in ENGINES},
        backend=find_backend(machine),
        engine=settings.engine,
        needs=tuple(_list_needs(machine)),
        settings=_list_settings(machine),
        unknown_settings=find_unknown_settings(machine.environment),
        max_loaded_bytes=settings.max_loaded_bytes,
        presets={
            preset.name: _explain_files(directory)
            for preset in store.presets()
            if (directory := preset.directory)
        },
        to_fetch=tuple(_list_missing(settings, store)),
        ignored=store.ignored_directories(),
        hubs=_try_hubs(machine, settings),
    )


def find_backend(machine: Machine) -> str:
    """Return what Keras runs on, as Keras finds it: a variable, its file, or TensorFlow."""
    if named := machine.environment.get("KERAS_BACKEND"):
        return named
    home = machine.environment.get("KERAS_HOME") or expand_home(Path("~/.keras"))
    try:
        return str(json.loads(machine.read(Path(home) / "keras.json"))["backend"])
    except (ValueError, LookupError, TypeError):
        return "tensorflow"


def _try_hubs(machine: Machine, settings: Settings) -> dict[str, bool | None]:
    # What is behind a proxy is the proxy's to know.
    has_proxy = any(machine.environment.get(name) for name in _PROXIES)
    is_tried = not settings.offline and not has_proxy
    return {hub: machine.can_connect(hub) if is_tried else None for hub in HUBS}


def _find_engine(machine: Machine, engine: str) -> str | None:
    return next(filter(None, map(machine.version, ENGINES[engine])), None)


def _name_processor(machine: Machine) -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", _read_cpus(machine), re.MULTILINE)
    return found[1] if found else "unknown"


def _list_features(machine: Machine) -> tuple[str, ...]:
    found = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", _read_cpus(machine), re.MULTILINE)
    return tuple(sorted(filter(_FAST.fullmatch, set(found[1].split())))) if found else ()


def _read_cpus(machine: Machine) -> str:
    return machine.read(Path("/proc/cpuinfo"))


def _measure_memory(machine: Machine) -> tuple[int | None, int | None]:
    lines = re.findall(r"^(\w+):\s*(\d+) kB$", machine.read(Path("/proc/meminfo")), re.MULTILINE)
    host = {name: 1024 * int(number) for name, number in lines}
    total, available = host.get("MemTotal"), host.get("MemAvailable")
    group = Path("/sys/fs/cgroup")
    most, used = (machine.read(group / name) for name in ("memory.max", "memory.current"))
    if total is None or available is None or not most.strip().isdecimal():
        return total, available
    limit = min(total, int(most))
    return limit, min(available, limit - int(used or 0))


def _list_places(machine: Machine, settings: Settings) -> Iterator[Place]:
    for name in ("model_store_dir", "cache_dir"):
        path = expand_home(getattr(settings, name))
        yield Place(f"FILLMASK_{name.upper()}", str(path), machine.free_bytes(path))


def _list_needs(machine: Machine) -> Iterator[Need]:
    for line in machine.requirements:
        need = Requirement(line)
        extras = [
            extra
            for extra in _EXTRAS
            if need.marker is None or need.marker.evaluate({"extra": extra})
        ]
        if not extras:  # of another system, or for who works on fillmask
            continue
        version = machine.version(need.name)
        fits = version is not None and need.specifier.contains(version, prereleases=True)
        is_met = fits or (version is None and "" not in extras)
        yield Need(need.name, f"{need.name}{need.specifier}", version, is_met)


def _list_settings(machine: Machine) -> dict[str, str]:
    known = {f"FILLMASK_{name.upper()}" for name in Settings.model_fields}
    return {
        name: "(not shown)" if name.upper() in _SECRET else value
        for name, value in sorted(machine.environment.items())
        if name.upper() in known
    }


def _list_missing(settings: Settings, store: ModelStore) -> Iterator[str]:
    listed = {preset.name: preset for preset in store.presets()}
    for name in dict.fromkeys(settings.configured_presets):
        if name in listed and listed[name].directory is None and not listed[name].no_head:
            yield name


def _explain_files(directory: Path) -> str | None:
    """Return what is wrong with the files of a preset: all of them are read."""
    try:
        with reading(directory):
            check_source(directory)
            read_checkpoint(directory)
    except ModelStoreError as error:
        return str(error)
    return None

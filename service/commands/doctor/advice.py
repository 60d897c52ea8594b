"""What follows from the facts: what `auto` would choose, what is wrong, and how to mend it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from service.commands.doctor.facts import Facts
from service.commands.doctor.machine import Machine

_GIB = 1024**3
_LEAST_DISK = _GIB
"""A base model is fetched and converted in less."""
_LEAST_MEMORY = _GIB
"""A small model is converted in less."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What would run the models, and why."""

    engine: str
    why: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is not as it should be.

    Attributes:
        level: `wrong` keeps something from working; a `note` is good to know.
        sentence: what it is, and what to do.
    """

    level: Literal["wrong", "note"]
    sentence: str


def choose(facts: Facts) -> Choice:
    """Return what `auto` means on this machine."""
    if facts.accelerators:
        return Choice(facts.backend, f"{facts.accelerators[0]} is here, and Keras is set to it.")
    if facts.engines["openvino"]:
        return Choice("openvino", "No accelerator is here, and OpenVINO is the fastest on CPUs.")
    return Choice(facts.backend, "No accelerator is here, and OpenVINO is not installed.")


def judge(facts: Facts, machine: Machine) -> Iterator[Finding]:
    """Yield everything that is wrong or good to know, the worst first."""
    yield from _judge_needs(facts)
    yield from _judge_engines(facts, machine)
    yield from _judge_room(facts)
    yield from _judge_memory(facts)
    yield from _judge_presets(facts)
    yield from _judge_settings(facts)
    yield from _judge_hubs(facts)


def _judge_needs(facts: Facts) -> Iterator[Finding]:
    for need in facts.needs:
        if not need.is_met:
            found = f"{need.name} {need.version} is" if need.version else f"{need.name} is not"
            yield _wrong(
                f"{found} installed, and fillmask needs {need.wanted}; "
                f"run `pip install '{need.wanted}'`."
            )


def _judge_engines(facts: Facts, machine: Machine) -> Iterator[Finding]:
    if not any(facts.engines.values()):
        yield _wrong("No engine is installed; run `pip install -r requirements/run.txt`.")
        return
    if facts.engine != "auto":
        chosen = facts.engine
    else:
        chosen = choose(facts).engine
        if not facts.accelerators and not facts.engines["openvino"]:
            yield _wrong(
                f"OpenVINO is not installed, so models run on {chosen}, which is slower; "
                "run `pip install -r requirements/run.txt`."
            )
    if not facts.engines.get(chosen):
        yield _wrong(
            f"Models would run on {chosen}, which is not installed; install it, or set "
            "FILLMASK_ENGINE or KERAS_BACKEND to what is."
        )
    elif reason := machine.explain_import(chosen):
        yield _wrong(
            f"{chosen} is installed and cannot be imported ({reason}); install it anew, or set "
            "FILLMASK_ENGINE to another engine."
        )
    if facts.accelerators and chosen == "tensorflow" and machine.version("tensorflow-cpu"):
        yield _wrong(
            f"{facts.accelerators[0]} is here, and tensorflow-cpu does not use it; run `pip "
            "install -r requirements/gpu.txt`, or set FILLMASK_ENGINE=openvino."
        )


def _judge_room(facts: Facts) -> Iterator[Finding]:
    for place in facts.places:
        if place.free_bytes is None:
            yield _wrong(
                f"Nothing can be written to {place.path}; let {place.variable} name a directory "
                "that can be written to."
            )
        elif place.free_bytes < _LEAST_DISK:
            yield _wrong(
                f"Only {write_bytes(place.free_bytes)} are free for {place.path}; free "
                f"{write_bytes(_LEAST_DISK)}, or let {place.variable} name another disk."
            )


def _judge_memory(facts: Facts) -> Iterator[Finding]:
    if facts.available_bytes is not None and facts.available_bytes < _LEAST_MEMORY:
        yield _wrong(
            f"Only {write_bytes(facts.available_bytes)} of memory are free; end what needs it, or "
            f"give this machine {write_bytes(_LEAST_MEMORY)} more."
        )
    if facts.memory_bytes is not None and facts.memory_bytes < facts.max_loaded_bytes:
        half = facts.memory_bytes // 2
        yield Finding(
            "note",
            f"FILLMASK_MAX_LOADED_BYTES lets weights take {write_bytes(facts.max_loaded_bytes)}, "
            f"and this machine has {write_bytes(facts.memory_bytes)}; if you serve several "
            f"presets, set it to {half}.",
        )


def _judge_presets(facts: Facts) -> Iterator[Finding]:
    for name, reason in facts.presets.items():
        if reason:
            yield _wrong(f"The preset {name} is broken: {reason}")
    for name, reason in facts.ignored.items():
        yield Finding("note", f"The directory {name} is ignored: {reason}")


def _judge_settings(facts: Facts) -> Iterator[Finding]:
    for variable, likely in facts.unknown_settings.items():
        cure = f"did you mean {likely}?" if likely else "unset it."
        yield _wrong(f"{variable} is no setting and changes nothing; {cure}")


def _judge_hubs(facts: Facts) -> Iterator[Finding]:
    if any(can is not False for can in facts.hubs.values()):
        return
    if facts.to_fetch:
        yield _wrong(
            f"{', '.join(facts.to_fetch)} would be fetched, and no hub can be reached; mend the "
            "network, set HTTPS_PROXY, or put the files into FILLMASK_MODEL_STORE_DIR."
        )
    else:
        yield Finding(
            "note",
            "No hub can be reached, so that only presets whose files are here work; if that is "
            "meant, set FILLMASK_OFFLINE=true.",
        )


def write_bytes(count: int) -> str:
    """Return a number of bytes for people."""
    number, units = float(count), iter(("B", "KiB", "MiB", "GiB"))
    unit = next(units)
    while number >= 1024 and unit != "GiB":  # noqa: PLR2004  # what the units are made of
        number, unit = number / 1024, next(units)
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def _wrong(sentence: str) -> Finding:
    return Finding("wrong", sentence)

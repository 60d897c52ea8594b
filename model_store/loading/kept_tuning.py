"""What was measured of a converted model, kept beside it so that it is measured once a machine.

tuning.json    a list: one entry for each machine and each precision that was asked for
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec

from model_store.engines.candidate import Candidate
from model_store.engines.engine import Precision
from model_store.engines.fill_mask import FillMaskModel
from model_store.loading.converted_models import Conversion
from model_store.loading.load_news import LoadNews, Report
from model_store.loading.proving.tuning import Load, tune

TUNING_FILE = "tuning.json"

_MEASURED = ("precision", "agreement", "batch_tokens", "candidates")
_MOST_ENTRIES = 32
_BATCH_TOKENS = 512
"""What suits most processors, where nothing was measured on any."""

_NOT_MEASURED = (
    "Which precision suits this machine is not measured, for it could not be kept, and {} is "
    "taken; let FILLMASK_CACHE_DIR, or cache_directory= in Python, name a directory that can be "
    "written to, or choose by FILLMASK_PRECISION, or precision= in Python."
)


@dataclass(frozen=True, slots=True)
class Tuning:
    """What came out on one machine; see `ModelFacts` and `Candidate`.

    Attributes:
        machine: the processor, what it computes in, and the version of the runtime.
        wanted: the precision that was asked for, or `auto`.
        precision: the one that was taken.
    """

    machine: str
    wanted: str
    precision: Precision
    agreement: float | None
    batch_tokens: Annotated[int, msgspec.Meta(gt=0)]
    candidates: tuple[Candidate, ...]


def load_tuned(
    load: Load,
    wanted: Precision,
    available: Sequence[Precision],
    texts: Mapping[str, str],
    *,
    machine: str,
    converted: Conversion,
    report: Report,
) -> FillMaskModel:
    """Load a model as it was tuned on this machine, or tune it and keep what comes out.

    Where nothing can be kept, nothing is measured either, for that would be done at every load:
    what another machine took is taken where this one has it, else float32.

    Args:
        load: makes the model in a precision.
        wanted: the precision to use, or `auto`.
        available: what the machine computes fast in, float32 first.
        texts: by name, to hold precisions against each other on.
        machine: the processor, and the version of the runtime.
        converted: where the conversion lies.
        report: told that it is measured, or cannot be.

    Raises:
        HeadUnprovenError: there are precisions to choose from, and no text that it can read.
    """
    path = converted.directory / TUNING_FILE
    machine = f"{machine}, {' '.join(available)}"
    tunings = [t for t in read_tunings(path) if t.wanted == wanted and t.precision in available]
    tuning = next((t for t in tunings if t.machine == machine), None)
    if tuning is None and converted.is_kept:
        report(LoadNews("measuring", "what suits this machine is measured, which is done once"))
        return _tune_and_keep(load, wanted, available, texts, machine=machine, path=path)
    notice = None
    if tuning is None:
        tuning = _guess(tunings, wanted)
        if wanted == "auto" and len(available) > 1:
            notice = _NOT_MEASURED.format(tuning.precision)
            report(LoadNews("not_measured", notice))
    model = load(tuning.precision)
    measured = {name: getattr(tuning, name) for name in _MEASURED}
    model.facts = replace(model.facts, **measured, notice=notice)
    return model


def _tune_and_keep(
    load: Load,
    wanted: Precision,
    available: Sequence[Precision],
    texts: Mapping[str, str],
    *,
    machine: str,
    path: Path,
) -> FillMaskModel:
    model = tune(load, wanted, available, texts)
    keep_tuning(path, Tuning(machine, wanted, **{n: getattr(model.facts, n) for n in _MEASURED}))
    return model


def read_tunings(path: Path) -> list[Tuning]:
    """Return what was kept, the oldest first; nothing where the file is missing or damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Tuning])
    except (OSError, ValueError):
        return []


def keep_tuning(path: Path, tuning: Tuning) -> None:
    """Put an entry beside those of other machines, and in place of its own."""
    is_same = (tuning.machine, tuning.wanted)
    others = [t for t in read_tunings(path) if (t.machine, t.wanted) != is_same]
    content = msgspec.json.encode([*others, tuning][-_MOST_ENTRIES:])
    partial = path.with_name(f".{path.name}")
    partial.write_bytes(msgspec.json.format(content) + b"\n")
    partial.replace(path)


def _guess(tunings: Sequence[Tuning], wanted: Precision) -> Tuning:
    """Return what was taken on the machine that was tuned last, as nothing that is known here."""
    if tunings:
        return replace(tunings[-1], candidates=())
    precision = "float32" if wanted == "auto" else wanted
    agreement = 1.0 if precision == "float32" else None
    return Tuning("", wanted, precision, agreement, _BATCH_TOKENS, ())

"""What a run asks of every row, and the model that answers it, loaded here."""

import sys
from dataclasses import dataclass, replace
from typing import Self

from service.app import request_limits
from service.commands.bulk.rows import Format
from service.commands.bulk.run import Run, RunLimits
from service.models.preset_store import create_store
from service.processes.heap import freeze_heap
from service.settings import Settings

_SWITCH_S = 0.0005
"""How soon the engine's thread is let in when it comes back with a batch; Python's own is ten times
that, in which a small model could have run the next one."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every row.

    Attributes:
        preset: the model.
        form: what the rows are read as.
        top_k: how many predictions a mask, where a row does not say.
        settings: those of whoever asks.
    """

    preset: str
    form: Format
    top_k: int | None
    settings: Settings

    def anywhere(self) -> Self:
        """Return the same question, for a process in another directory."""
        places = {
            name: getattr(self.settings, name).absolute()
            for name in ("model_store_dir", "cache_dir")
        }
        return replace(self, settings=self.settings.model_copy(update=places))


def prepare(question: Question) -> Run:
    """Return a run whose model is loaded, in a process that does nothing else.

    Raises:
        ModelStoreError: the preset cannot be loaded.
    """
    settings = question.settings
    store = create_store(settings)
    store.fetch(question.preset)
    model = store.load(question.preset)
    limits = RunLimits(
        request_limits(settings).task,
        settings.max_batch_size,
        settings.max_batch_tokens or model.facts.batch_tokens,
        settings.max_body_bytes,
    )
    let_engine_in()
    freeze_heap()
    return Run(question.preset, model, question.form, limits, question.top_k)


def let_engine_in() -> None:
    """Let threads take turns so often that the engine's does not wait for those beside it."""
    sys.setswitchinterval(_SWITCH_S)

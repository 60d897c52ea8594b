"""What a body asks of a model, and how that is answered."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from model_store.tasks.fill import FillRequest
from model_store.tasks.joint.request import JointRequest
from model_store.tasks.targets import TargetsRequest
from model_store.tasks.task import TaskRequest
from model_store.tasks.windows.request import WindowRequest
from model_store.tasks.windows.targets_request import WindowTargetsRequest
from service.routes.fill_mask.answer import write_filled, write_seen_text, write_targets
from service.routes.fill_mask.joint_answer import write_joint
from service.routes.fill_mask.request import FillMaskRequest

DEFAULT_TOP_K = 5


@dataclass(frozen=True, slots=True)
class FillMaskCall:
    """A task, and what writes its answer for each input."""

    request: TaskRequest[list[Any]]
    _write: Callable[[Any], dict[str, Any]]

    def write(self, preset: str, texts: Iterable[Any]) -> dict[str, Any]:
        """Return an answer of dicts, where models would look at every number again: tests do so."""
        return {"preset": preset, "results": list(map(self._write, texts))}


def read_call(body: FillMaskRequest) -> FillMaskCall:
    """Return what a body asks for."""
    texts = body.texts
    targets = body.list_targets()
    is_window = body.overflow == "window"
    if targets is not None:
        if is_window:
            seen = WindowTargetsRequest(body.lone_texts, targets, body.top_k)
            return FillMaskCall(seen, partial(write_seen_text, write_targets))
        return FillMaskCall(TargetsRequest(texts, targets, body.top_k), write_targets)
    if body.decode == "joint":
        span = body.span.lengths if body.span else None
        joint = JointRequest(body.lone_texts, body.top_k, body.beam_width, span, is_cut=is_window)
        return FillMaskCall(joint, partial(write_joint, is_window=is_window))
    top_k = body.top_k or DEFAULT_TOP_K
    kept = body.filter.spread(len(texts)) if body.filter else None
    if is_window:
        windows = WindowRequest(body.lone_texts, top_k, kept)
        return FillMaskCall(windows, partial(write_seen_text, write_filled))
    return FillMaskCall(FillRequest(texts, top_k, filter=kept), write_filled)

"""The OpenVINO engine: a converted model on a CPU; neither Keras nor its runtime is imported."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from openvino import properties
from openvino.properties import hint

from model_store.engines.batches.batch import Batch, Scores
from model_store.engines.batches.shape_buckets import OpenShapes
from model_store.engines.block_top_k import BLOCK, block_top_k
from model_store.engines.engine import Precision

_DEVICE = "CPU"
_TYPES = {
    "float32": openvino.Type.f32,
    "bfloat16": openvino.Type.bf16,
    "float16": openvino.Type.f16,
}
_OUTPUTS = ("logits", "normalizer", "block_maxima")
_CAPABILITIES: dict[str, Precision] = {"BF16": "bfloat16", "FP16": "float16"}


class OpenVINOEngine:
    """Runs a converted model. Shapes are open: nothing is compiled after the start."""

    name = "openvino"
    shapes = OpenShapes()

    def __init__(self, model: Path, precision: Precision, compiled: Path | None = None) -> None:
        """Read a converted model and make it ready to compute in a precision.

        Args:
            model: the file that `convert` wrote.
            precision: one of `list_precisions`.
            compiled: where what is compiled is kept, so that the next start takes a quarter of the
                time; None keeps nothing.
        """
        options: dict[Any, Any] = {
            hint.performance_mode: hint.PerformanceMode.LATENCY,
            hint.inference_precision: _TYPES[precision],
            # The event loop needs a core too: threads that may not move would wait for it.
            hint.enable_cpu_pinning: False,
        }
        if compiled is not None:
            # What OpenVINO looks a compiled model up by leaves the precision out: in one
            # directory, float16 would be given what was compiled for float32.
            options[properties.cache_dir] = str(compiled / precision)
        ready = _load_core().compile_model(str(model), _DEVICE, options)
        self._request = ready.create_infer_request()
        # A model without segments, or without positions, has no input for them.
        self._inputs = {name for port in ready.inputs for name in port.get_names()}

    def run(self, batch: Batch, k: int) -> Scores:
        """Score a batch."""
        (queries,) = batch.queries
        inputs = {
            "token_ids": batch.token_ids,
            "text_numbers": batch.text_numbers,
            "positions": batch.positions,
            "segment_ids": batch.segment_ids,
            "queries": queries.positions,
            "slots": queries.slots,
        }
        # A dict given to `infer` would be looked through by name and type: twice the time. What is
        # shared here lives until the end of the batch.
        for name in self._inputs & inputs.keys():
            array = inputs[name]
            self._request.set_tensor(name, openvino.Tensor(array, shared_memory=True))
        self._request.infer(share_outputs=True)
        # Views on the runtime's own memory, which the next run overwrites.
        logits, normalizer, maxima = (self._request.get_tensor(name).data for name in _OUTPUTS)
        ids = block_top_k(logits, maxima, k, BLOCK)
        masks = np.arange(len(logits))[:, None]
        return Scores(
            ids.astype(np.int32),
            logits[masks, ids] - normalizer[:, None],
            logits[masks, queries.target_ids] - normalizer[:, None],
            *((logits, normalizer) if batch.has_questions else ()),
        )


def list_precisions(capabilities: Collection[str] | None = None) -> tuple[Precision, ...]:
    """Return what a processor computes fast in, float32 first.

    Args:
        capabilities: what OpenVINO says of it; None asks about this machine's.
    """
    if capabilities is None:
        capabilities = _load_core().get_property(_DEVICE, properties.device.capabilities)
    return ("float32", *(name for key, name in _CAPABILITIES.items() if key in capabilities))


def describe_machine() -> str:
    """Return the processor and the version of the runtime: what was tuned counts for these."""
    name = _load_core().get_property(_DEVICE, properties.device.full_name)
    return f"{name}, OpenVINO {openvino.__version__}"


@cache
def _load_core() -> openvino.Core:
    """Return the process's one core, with the CPU's plugin loaded.

    On processors with AMX the plugin gives the thread that loads it a signal stack of 20 KB, too
    small for Python's handlers, and frees it with the plugin, in whichever thread that happens:
    the next signal would end the process. So a thread that ends at once loads it, and one core
    lives as long as the process.
    """
    core = openvino.Core()
    with ThreadPoolExecutor(1) as loader:
        loader.submit(core.get_property, _DEVICE, properties.device.full_name).result()
    return core

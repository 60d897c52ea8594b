"""ONNX Runtime as a raw engine: the model as PyTorch exports it, the whole vocabulary computed.

Only the masked rows of the logits are looked at afterwards, as a user of the exported model would.
"""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

_EXPORTED = Path(__file__).parents[1] / ".cache" / "onnx"
"""Not beside the model: that may be the embedded one, in a folder that is packed."""


class OnnxEngine:
    """Runs an exported `BertForMaskedLM` with ONNX Runtime's own defaults."""

    def __init__(self, directory: Path) -> None:
        """Export the model once, and open it."""
        file = _EXPORTED / f"{directory.name}.onnx"
        if not file.is_file():
            _export(directory, file)
        self._session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])

    def run(self, token_ids: NDArray[np.int64], mask_positions: NDArray[np.int64], k: int) -> None:
        """Score a batch of texts of one length with one mask each."""
        (logits,) = self._session.run(
            None, {"input_ids": token_ids, "attention_mask": np.ones_like(token_ids)}
        )
        masked = logits[np.arange(len(token_ids)), mask_positions]
        np.argpartition(-masked, k, axis=-1)


def _export(directory: Path, file: Path) -> None:
    import torch  # noqa: PLC0415
    from transformers import BertForMaskedLM  # noqa: PLC0415

    file.parent.mkdir(exist_ok=True)
    model = BertForMaskedLM.from_pretrained(  # nosec B615  # a directory, no download
        directory, dtype=torch.float32
    )
    model.eval()
    example = torch.ones((2, 16), dtype=torch.int64)
    axes = {0: torch.export.Dim("rows"), 1: torch.export.Dim("length")}
    program = torch.onnx.export(
        model,
        kwargs={"input_ids": example, "attention_mask": example},
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_shapes={"input_ids": axes, "attention_mask": axes},
        dynamo=True,
    )
    program.save(file)

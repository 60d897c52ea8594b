"""Transformers on PyTorch as a raw engine: what its pipeline computes, without its Python."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertForMaskedLM


class TransformersEngine:
    """Runs `BertForMaskedLM` eagerly with PyTorch's own defaults."""

    def __init__(self, directory: Path, precision: str) -> None:
        """Load the model."""
        dtype = getattr(torch, precision)
        self._model = BertForMaskedLM.from_pretrained(  # nosec B615  # a directory, no download
            directory, dtype=dtype
        )
        self._model.eval()

    def run(self, token_ids: NDArray[np.int64], mask_positions: NDArray[np.int64], k: int) -> None:
        """Score a batch of texts of one length with one mask each."""
        rows = torch.from_numpy(token_ids)
        with torch.inference_mode():
            logits = self._model(input_ids=rows, attention_mask=torch.ones_like(rows)).logits
            masked = logits[torch.arange(len(rows)), torch.from_numpy(mask_positions)]
            masked.softmax(-1).topk(k)

"""Transformers' pipeline behind FastAPI, as its users write it: a plain function for a route.

FastAPI runs such functions in its thread pool, and PyTorch uses every core for each: defaults.
"""

import os
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline

app = FastAPI()
fill_mask = pipeline("fill-mask", model=os.environ["MODEL_DIR"], dtype="float32", device="cpu")


class FillMaskRequest(BaseModel):
    """What callers send."""

    inputs: str | list[str]
    top_k: int = 5


@app.post("/fill-mask")
def fill(body: FillMaskRequest) -> list[Any]:
    """Fill the masks of one text or many."""
    return fill_mask(body.inputs, top_k=body.top_k)

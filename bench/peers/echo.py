"""The bare edge: FastAPI reads the same bodies into a model and sends them back.

No model of ours could answer faster through FastAPI than this.
"""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class FillMaskRequest(BaseModel):
    """What callers send."""

    inputs: str | list[str]
    top_k: int = 5


@app.post("/fill-mask")
async def echo(body: FillMaskRequest) -> FillMaskRequest:
    """Send a body back."""
    return body

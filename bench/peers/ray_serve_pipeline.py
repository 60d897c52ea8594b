"""Transformers' pipeline in Ray Serve with `@serve.batch`."""

import os
from typing import Any

from ray import serve
from starlette.requests import Request
from transformers import pipeline


@serve.deployment(max_ongoing_requests=256)
class FillMask:
    """One request is one text; Ray Serve gathers them."""

    def __init__(self, directory: str) -> None:
        """Load the model in the replica."""
        self.fill_mask = pipeline("fill-mask", model=directory, dtype="float32", device="cpu")

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0.005)
    async def fill(self, texts: list[str]) -> list[Any]:
        """Fill the masks of a batch, in one forward pass."""
        filled = self.fill_mask(texts, top_k=5, batch_size=len(texts))
        # The pipeline answers a list of one text as if it were the text alone.
        return [filled] if len(texts) == 1 else filled

    async def __call__(self, request: Request) -> Any:
        """Answer one request."""
        body = await request.json()
        return await self.fill(body["inputs"])


if __name__ == "__main__":
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["PORT"])})
    serve.run(FillMask.bind(os.environ["MODEL_DIR"]), route_prefix="/fill-mask", blocking=True)

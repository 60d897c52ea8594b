"""Transformers' pipeline in LitServe with its dynamic batching."""

import os
from typing import Any

import litserve
from transformers import pipeline


class FillMaskAPI(litserve.LitAPI):
    """One request is one text; LitServe gathers them."""

    def setup(self, device: str) -> None:
        """Load the model in the worker."""
        self.fill_mask = pipeline(
            "fill-mask", model=os.environ["MODEL_DIR"], dtype="float32", device=device
        )

    def decode_request(self, request: dict[str, Any]) -> str:
        """Take the text of a body."""
        return request["inputs"]

    def predict(self, texts: list[str]) -> list[Any]:
        """Fill the masks of a batch, in one forward pass."""
        filled = self.fill_mask(texts, top_k=5, batch_size=len(texts))
        # The pipeline answers a list of one text as if it were the text alone.
        return [filled] if len(texts) == 1 else filled

    def encode_response(self, output: list[Any]) -> list[Any]:
        """Answer as the pipeline does."""
        return output


if __name__ == "__main__":
    server = litserve.LitServer(
        FillMaskAPI(max_batch_size=32, batch_timeout=0.005, api_path="/fill-mask"),
        accelerator="cpu",
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        generate_client_file=False,
        log_level="warning",
    )

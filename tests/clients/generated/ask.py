"""Asks what a question on the standard input says, and prints predictions, or why there are none.

Its types are checked against the client that is generated.
"""

import json
import sys
from typing import Any

from fillmask_client import AuthenticatedClient
from fillmask_client.api.fill_mask import fill_mask
from fillmask_client.models import ErrorResponse, FilledInput, FillMaskRequest, FillMaskResponse
from fillmask_client.types import UNSET


def ask(question: dict[str, Any]) -> dict[str, Any]:
    """Return what is printed."""
    client = AuthenticatedClient(base_url=question["url"], token=question["key"])
    answer = fill_mask.sync_detailed(
        client=client,
        body=FillMaskRequest.from_dict(question["body"]),
        x_request_timeout_s=question["timeout_s"] or UNSET,
    )
    match answer.parsed:
        case FillMaskResponse(results=results):
            filled = [result for result in results if isinstance(result, FilledInput)]
            masks = [mask.predictions for result in filled for mask in result.masks]
            return {"predictions": [[(p.token, p.token_str, p.score) for p in m] for m in masks]}
        case ErrorResponse(error=sentence, code=code):
            return {"status": answer.status_code, "code": code, "error": sentence}
        case None:
            message = f"an answer that is not described: {answer}"
            raise TypeError(message)


if __name__ == "__main__":
    print(json.dumps(ask(json.load(sys.stdin))))  # noqa: T201  # it is a script

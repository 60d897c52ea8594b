"""Time on the wire: how long a caller waits, and where the time of an answer went."""

from typing import Annotated

from fastapi import Header
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from service.pipeline import Timings

TIMEOUT_HEADER = "x-request-timeout-s"
LEAST_TIMEOUT_S = 0.001
Seconds = Annotated[float, Field(ge=LEAST_TIMEOUT_S, allow_inf_nan=False)]
"""How long a caller may say that it waits."""

TimeoutOf = Annotated[
    # A header has no null: typed clients would have to write it somehow.
    Seconds | SkipJsonSchema[None],
    Header(
        alias=TIMEOUT_HEADER,
        description="Seconds until the caller gives up; the server's own limit if that is less.",
    ),
]


def timing_headers(timings: Timings) -> dict[str, str]:
    """Return the stages of a request in milliseconds.

    Once as `Server-Timing`, which browsers draw, and once under the names that Hugging Face's
    inference servers use.
    """
    stages = {
        "tokenization": timings.tokenization,
        "queue": timings.queue,
        "inference": timings.inference,
    }
    milliseconds = {name: f"{1000 * seconds:.3f}" for name, seconds in stages.items()}
    return {
        "server-timing": ", ".join(f"{name};dur={ms}" for name, ms in milliseconds.items()),
        **{f"x-{name}-time": ms for name, ms in milliseconds.items()},
    }

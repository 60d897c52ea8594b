"""What a model saw of an input that may be longer than it takes."""

from typing import Any

from pydantic import BaseModel, Field


class Seen(BaseModel):
    """A part of an input."""

    start: int = Field(description="Where it starts in the input, in characters.")
    end: int = Field(description="Where it ends in the input, in characters.")


def write_seen(seen: tuple[int, int]) -> dict[str, Any]:
    """Return a part as it is answered."""
    start, end = seen
    return {"start": start, "end": end}

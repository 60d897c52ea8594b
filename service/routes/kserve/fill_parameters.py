"""How to fill, as both interfaces take it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from model_store.tasks.fill import FillRequest
from service.routes.fill_mask import DEFAULT_TOP_K
from service.routes.schemas import Targets, Text


class FillParameters(BaseModel):
    """How to fill."""

    model_config = ConfigDict(extra="forbid", strict=True)

    top_k: Annotated[int, Field(ge=1)] | None = Field(
        None, description="How many predictions a mask: 5 if left out, or all targets."
    )
    targets: Targets | Text | None = Field(
        None, description="Vocabulary entries to score in every text, instead of the likeliest."
    )

    @property
    def are_defaults(self) -> bool:
        """Whether nothing is asked for."""
        return self.top_k is None and self.targets is None

    def ask(self, texts: list[str]) -> FillRequest:
        """Return the request for some texts."""
        if self.targets is None:
            return FillRequest(texts, self.top_k or DEFAULT_TOP_K)
        targets = [self.targets] if isinstance(self.targets, str) else self.targets
        return FillRequest(texts, self.top_k or len(targets), [targets] * len(texts))

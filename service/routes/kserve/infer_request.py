"""What is sent to `POST /v2/models/{name}/infer`."""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from model_store.errors.exceptions import counted
from service.routes.kserve.binary_body import refuse
from service.routes.kserve.fill_parameters import FillParameters
from service.routes.kserve.tensor_bytes import load_texts
from service.routes.schemas import Text

OutputName = Literal["token_str", "token", "score", "input", "output-0"]

_MOST_DIMENSIONS = 8
_MICROSECONDS = 1_000_000
_FORM = ConfigDict(extra="forbid", strict=True)


class InferParameters(FillParameters):
    """How to fill, and how to answer."""

    binary_data_output: bool = Field(
        default=False, description="Whether outputs are answered as bytes behind the JSON."
    )
    timeout: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Microseconds until the caller gives up; the server's limit if less."
    )
    priority: int | None = Field(None, description="Changes nothing: callers are served in turn.")
    content_type: str | None = Field(None, description="Changes nothing.")

    def read_timeout(self, timeout_s: float | None) -> float | None:
        """Return the seconds that the caller waits: the fewer, where these say some too."""
        said = [timeout_s] if timeout_s is not None else []
        if self.timeout is not None:
            said.append(self.timeout / _MICROSECONDS)
        return min(said, default=None)


class InputParameters(BaseModel):
    """How the texts are sent."""

    model_config = _FORM

    binary_data_size: Annotated[int, Field(ge=0)] | None = Field(
        None, description="How many bytes behind the JSON are the texts, instead of `data`."
    )
    content_type: str | None = Field(None, description="Changes nothing.")


class InputTensor(BaseModel):
    """The texts."""

    model_config = _FORM

    name: str = Field(description="Any.")
    shape: Annotated[
        list[Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=_MOST_DIMENSIONS)
    ] = Field(description="How many texts: `[2]`, or `[2, 1]`.")
    datatype: Literal["BYTES"]
    parameters: InputParameters = Field(default=InputParameters())
    data: list[Text] | list[list[Text]] | None = Field(
        None, description="The texts, flat or in one list a row; left out if they are bytes."
    )

    def read(self, tensors: bytes) -> list[str]:
        """Return the texts.

        Args:
            tensors: what is behind the JSON.

        Raises:
            RequestValidationError: they are not there, or others than the shape says.
        """
        try:
            texts = self._read(tensors)
        except ValueError as error:
            raise refuse(("body", "inputs"), str(error)) from error
        if not texts:
            raise refuse(("body", "inputs"), "there is no text")
        return texts

    def _read(self, tensors: bytes) -> list[str]:
        size, count = self.parameters.binary_data_size or 0, math.prod(self.shape)
        if len(tensors) != size:
            message = f"{len(tensors)} bytes are behind the JSON, and binary_data_size is {size}"
            raise ValueError(message)
        if self.data is None:
            return load_texts(tensors, count)
        if tensors:
            message = "send the texts in data, or as bytes behind the JSON"
            raise ValueError(message)
        texts = [text for row in self.data for text in ([row] if isinstance(row, str) else row)]
        if len(texts) != count:
            message = f"data has {counted(len(texts), 'text')}, and the shape {count}"
            raise ValueError(message)
        return texts


class OutputParameters(BaseModel):
    """How an output is answered."""

    model_config = _FORM

    binary_data: bool | None = Field(
        None, description="Whether it is answered as bytes; as `binary_data_output` if left out."
    )


class RequestedOutput(BaseModel):
    """An output that is asked for."""

    model_config = _FORM

    name: OutputName
    parameters: OutputParameters | None = None


class InferBody(BaseModel):
    """The texts, how to fill them, and what to tell."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "inputs": [
                        {
                            "name": "text",
                            "shape": [1],
                            "datatype": "BYTES",
                            "data": ["The capital of France is [MASK]."],
                        }
                    ],
                    "parameters": {"top_k": 3},
                    "outputs": [{"name": "token_str"}, {"name": "score"}],
                }
            ]
        },
    )

    id: str | None = Field(None, description="Answered as it is sent.")
    model_name: str | None = Field(None, description="Changes nothing: the path names the preset.")
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=1)] = Field(
        description="One tensor, of texts."
    )
    parameters: InferParameters = Field(default=InferParameters())
    outputs: list[RequestedOutput] | None = Field(
        None, description="Which outputs are answered, in order; all of them if left out."
    )

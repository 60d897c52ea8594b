"""What `POST /v2/models/{name}/infer` answers: predictions as tensors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from model_store.text.filled_text import FilledText, Prediction
from service.routes.kserve.binary_body import LENGTH_HEADER
from service.routes.kserve.infer_request import InferBody, OutputName
from service.routes.kserve.tensor_bytes import dump_texts

VERSION = "1"
"""A preset has one version, as it lies in the store; the paths of others lead nowhere."""


class OutputSizes(BaseModel):
    """How an output is answered as bytes."""

    binary_data_size: int = Field(description="How many bytes behind the JSON are this output.")


class OutputTensor(BaseModel):
    """An output."""

    name: OutputName
    shape: list[int] = Field(description="`[masks, predictions]`, `[masks]` or `[texts]`.")
    datatype: str = Field(description="`BYTES`, `INT64` or `FP32`.")
    parameters: OutputSizes | None = None
    data: list[str] | list[int] | list[float] | None = Field(
        None, description="Its values, the last dimension first; left out if they are bytes."
    )


class InferAnswer(BaseModel):
    """The answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model_name": "minilm_l6_en_uncased",
                    "model_version": "1",
                    "outputs": [
                        {
                            "name": "token_str",
                            "shape": [1, 1],
                            "datatype": "BYTES",
                            "data": ["paris"],
                        }
                    ],
                }
            ]
        }
    )

    id: str | None = None
    model_name: str
    model_version: str = Field(description="`1`, always.")
    outputs: list[OutputTensor]


@dataclass(frozen=True, slots=True)
class Output:
    """What an output is.

    Attributes:
        datatype: that of its values.
        dimensions: of its shape.
        values: what gets it out of an answer, flat.
    """

    datatype: str
    dimensions: int
    values: Callable[[Sequence[FilledText]], list[Any]]

    def dump(self, values: list[Any]) -> bytes:
        """Return values as bytes."""
        if self.datatype == "BYTES":
            return dump_texts(values)
        return np.array(values, _DTYPES[self.datatype]).tobytes()


_DTYPES = {"INT64": "<i8", "FP32": "<f4"}


def _collect(value: Callable[[Prediction], Any]) -> Callable[[Sequence[FilledText]], list[Any]]:
    """Return what lists one value of every prediction."""

    def list_values(texts: Sequence[FilledText]) -> list[Any]:
        masks = (mask for text in texts for mask in text.predictions)
        return [value(prediction) for mask in masks for prediction in mask]

    return list_values


def _list_inputs(texts: Sequence[FilledText]) -> list[int]:
    return [index for index, text in enumerate(texts) for _ in text.predictions]


OUTPUTS: dict[OutputName, Output] = {
    "token_str": Output("BYTES", 2, _collect(lambda prediction: prediction.token_str)),
    "token": Output("INT64", 2, _collect(lambda prediction: prediction.token)),
    # As bytes have it: JSON would tell more digits than an FP32 has.
    "score": Output("FP32", 2, _collect(lambda prediction: float(np.float32(prediction.score)))),
    "input": Output("INT64", 1, _list_inputs),
    "output-0": Output("BYTES", 1, lambda texts: [text.decoded_likeliest() for text in texts]),
}
"""Every output by its name.

The masks of all texts follow each other, for texts may have different numbers of them. The last
one is that of KServe's Hugging Face runtime.
"""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An output of one answer, and whether it is wanted as bytes."""

    name: OutputName
    output: Output
    shape: list[int]
    values: list[Any]
    is_binary: bool

    def dump(self) -> bytes:
        """Return its values as bytes."""
        return self.output.dump(self.values)


def list_tensors(texts: Sequence[FilledText], body: InferBody) -> list[Tensor]:
    """Return the outputs of an answer that are asked for, in order.

    Args:
        texts: the filled ones; as many predictions for every mask.
        body: what was asked.
    """
    tensors = []
    for name, is_binary in _list_wanted(body):
        output = OUTPUTS[name]
        values = output.values(texts)
        tensors.append(Tensor(name, output, _measure(output, values, texts), values, is_binary))
    return tensors


def write_tensors(
    fields: dict[str, Any], tensors: Sequence[Tensor], headers: dict[str, str]
) -> Response:
    """Return an answer: JSON, and behind it the outputs that are wanted as bytes.

    Args:
        fields: what it says beside its outputs.
        tensors: the outputs.
        headers: those of the answer.
    """
    outputs, parts = [], []
    for each in tensors:
        told: dict[str, Any] = {
            "name": each.name,
            "shape": each.shape,
            "datatype": each.output.datatype,
        }
        if each.is_binary:
            parts.append(each.dump())
            told["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            told["data"] = each.values
        outputs.append(told)
    content = to_json(fields | {"outputs": outputs})
    if not parts:
        return Response(content, media_type="application/json", headers=headers)
    headers = headers | {LENGTH_HEADER: str(len(content))}
    body = b"".join([content, *parts])
    return Response(body, media_type="application/octet-stream", headers=headers)


def _list_wanted(body: InferBody) -> Iterator[tuple[OutputName, bool]]:
    """Yield the outputs that are asked for, and whether as bytes."""
    default = body.parameters.binary_data_output
    if body.outputs is None:
        yield from ((name, default) for name in OUTPUTS)
        return
    for output in body.outputs:
        said = output.parameters.binary_data if output.parameters else None
        yield output.name, default if said is None else said


def _measure(output: Output, values: list[Any], texts: Sequence[FilledText]) -> list[int]:
    if output.dimensions == 1:
        return [len(values)]
    masks = sum(len(text.predictions) for text in texts)
    return [masks, len(values) // masks]

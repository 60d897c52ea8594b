"""`ModelInfer` as what REST takes and answers: texts in, predictions out, both as tensors."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from model_store.text.filled_text import FilledText
from service.routes.grpc.wire import grpc_service_pb2 as wire
from service.routes.kserve.binary_body import refuse, refuse_body
from service.routes.kserve.infer_request import InferBody
from service.routes.kserve.infer_response import VERSION, Tensor, list_tensors
from service.routes.kserve.tensor_bytes import decode_text

_CONTENTS = {"BYTES": "bytes_contents", "INT64": "int64_contents", "FP32": "fp32_contents"}
"""Where a message has the values of a type, if not as bytes."""


def read_infer(request: Any) -> tuple[InferBody, list[str]]:
    """Return what is asked, and the texts.

    Who sends bytes is answered with bytes, unless `binary_data_output` says otherwise.

    Raises:
        RequestValidationError: it is not valid.
    """
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        reason = f"it has {len(raw)} tensors, and inputs {len(request.inputs)}"
        raise refuse(("body", "raw_input_contents"), reason)
    parameters = {"binary_data_output": bool(raw)} | read_parameters(request.parameters)
    if isinstance(parameters.get("targets"), str):
        parameters["targets"] = _read_targets(parameters["targets"])
    fields: dict[str, Any] = {
        "inputs": [
            _read_input(tensor, raw[index] if raw else None)
            for index, tensor in enumerate(request.inputs)
        ],
        "parameters": parameters,
        "id": request.id or None,
    }
    if request.outputs:
        fields["outputs"] = [
            {"name": output.name, "parameters": read_parameters(output.parameters)}
            for output in request.outputs
        ]
    try:
        body = InferBody.model_validate(fields)
    except ValidationError as error:
        raise refuse_body(error) from error
    [tensor] = body.inputs
    return body, tensor.read(raw[0] if raw else b"")


def write_infer(preset: str, body: InferBody, texts: Sequence[FilledText]) -> Any:
    """Return an answer; its outputs are bytes all, or none.

    Args:
        preset: whose it is.
        body: what was asked.
        texts: the filled ones.
    """
    tensors = list_tensors(texts, body)
    response = wire.ModelInferResponse(model_name=preset, model_version=VERSION, id=body.id or "")
    is_binary = any(tensor.is_binary for tensor in tensors)
    for tensor in tensors:
        output = response.outputs.add(
            name=tensor.name, datatype=tensor.output.datatype, shape=tensor.shape
        )
        if is_binary:
            response.raw_output_contents.append(tensor.dump())
        else:
            getattr(output.contents, _CONTENTS[output.datatype]).extend(_list_values(tensor))
    return response


def read_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters by name, each of the type that it was sent as."""
    return {
        name: getattr(parameter, parameter.WhichOneof("parameter_choice") or "", None)
        for name, parameter in parameters.items()
    }


def _read_input(tensor: Any, raw: bytes | None) -> dict[str, Any]:
    """Return a tensor as JSON has it."""
    parameters = read_parameters(tensor.parameters)
    fields = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
    if raw is None:
        return fields | {"parameters": parameters, "data": _read_texts(tensor.contents)}
    if tensor.HasField("contents"):
        raise refuse(("body", "inputs"), "send the texts in contents, or in raw_input_contents")
    return fields | {"parameters": parameters | {"binary_data_size": len(raw)}}


def _read_texts(contents: Any) -> list[str]:
    try:
        return [decode_text(text, index) for index, text in enumerate(contents.bytes_contents)]
    except ValueError as error:
        raise refuse(("body", "inputs"), str(error)) from error


def _read_targets(text: str) -> Any:
    """Return the targets of a parameter, which cannot be a list: one, or a list as JSON has it."""
    try:
        listed = from_json(text)
    except ValueError:
        return text
    return listed if isinstance(listed, list) else text


def _list_values(tensor: Tensor) -> list[Any]:
    if tensor.output.datatype == "BYTES":
        return [text.encode() for text in tensor.values]
    return tensor.values

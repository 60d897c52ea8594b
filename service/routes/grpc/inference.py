"""The methods of `GRPCInferenceService`: each says what a route below `/v2` says in JSON."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from model_store.errors import PresetNotFoundError
from service.models.preset_control import PresetBoard, PresetControl
from service.pipeline import Pipeline
from service.routes.calls.dependencies import MetricsBoard
from service.routes.calls.timing import timing_headers
from service.routes.grpc.calls import Call, Calls
from service.routes.grpc.tensors import read_infer, read_parameters, write_infer
from service.routes.grpc.wire import grpc_service_pb2 as wire
from service.routes.kserve.binary_body import refuse_body
from service.routes.kserve.infer_response import VERSION
from service.routes.kserve.models import (
    count_all_inferences,
    count_inferences,
    describe_config,
    describe_tensors,
)
from service.routes.kserve.repository import IndexBody, RepositoryBody, list_repository
from service.routes.kserve.server import describe_server
from service.routes.operations.readiness import Readiness

SERVICE = "inference.GRPCInferenceService"


class InferenceService:
    """Answers the messages of the protocol."""

    def __init__(
        self,
        *,
        version: str,
        pipeline: Pipeline,
        control: PresetControl,
        states: PresetBoard,
        metrics: MetricsBoard,
        readiness: Readiness,
    ) -> None:
        """Use the parts that the routes below `/v2` use; `version` is that of fillmask."""
        self._version = version
        self._pipeline = pipeline
        self._control = control
        self._states = states
        self._metrics = metrics
        self._readiness = readiness

    def handlers(self, calls: Calls) -> dict[str, Any]:
        """Return what handles its methods, by name."""
        methods = {
            "ServerLive": (wire.ServerLiveRequest, self._check_live),
            "ServerReady": (wire.ServerReadyRequest, self._check_ready),
            "ServerMetadata": (wire.ServerMetadataRequest, self._describe_server),
            "ModelReady": (wire.ModelReadyRequest, self._check_model),
            "ModelMetadata": (wire.ModelMetadataRequest, self._describe_model),
            "ModelConfig": (wire.ModelConfigRequest, self._configure_model),
            "ModelStatistics": (wire.ModelStatisticsRequest, self._count_inferences),
            "ModelInfer": (wire.ModelInferRequest, self._infer),
            "RepositoryIndex": (wire.RepositoryIndexRequest, self._list_repository),
            "RepositoryModelLoad": (wire.RepositoryModelLoadRequest, self._load),
            "RepositoryModelUnload": (wire.RepositoryModelUnloadRequest, self._unload),
        }
        return {
            name: calls.answer(
                f"/{SERVICE}/{name}", message, endpoint, is_task=name == "ModelInfer"
            )
            for name, (message, endpoint) in methods.items()
        }

    async def _infer(self, request: Any, call: Call) -> Any:
        _require_version(request.model_version)
        body, texts = read_infer(request)
        timeout_s = body.parameters.read_timeout(call.timeout_s)
        preset = request.model_name
        filled = await self._pipeline.run(preset, body.parameters.ask(texts), timeout_s)
        call.headers |= timing_headers(filled.timings)
        return write_infer(preset, body, filled.answer)

    async def _check_live(self, _: object, __: Call) -> Any:
        return wire.ServerLiveResponse(live=True)

    async def _check_ready(self, _: object, __: Call) -> Any:
        return wire.ServerReadyResponse(ready=await self._readiness.check() is None)

    async def _describe_server(self, _: object, __: Call) -> Any:
        return wire.ServerMetadataResponse(**describe_server(self._version).model_dump())

    async def _check_model(self, request: Any, _: Call) -> Any:
        _require_version(request.version)
        try:
            preset = await self._control.describe(request.name)
        except PresetNotFoundError:
            return wire.ModelReadyResponse(ready=False)
        return wire.ModelReadyResponse(ready=preset.state == "ready")

    async def _describe_model(self, request: Any, _: Call) -> Any:
        _require_version(request.version)
        described = await describe_tensors(request.name, self._control)
        return wire.ModelMetadataResponse(**described.model_dump())

    async def _configure_model(self, request: Any, _: Call) -> Any:
        _require_version(request.version)
        described = await describe_config(request.name, self._control)
        return wire.ModelConfigResponse(config=described.model_dump())

    async def _count_inferences(self, request: Any, _: Call) -> Any:
        _require_version(request.version)
        if request.name:
            counted = await count_inferences(request.name, self._control, self._metrics)
        else:
            counted = await count_all_inferences(self._states, self._metrics)
        return wire.ModelStatisticsResponse(**counted.model_dump())

    async def _list_repository(self, request: Any, _: Call) -> Any:
        entries = await list_repository(self._states, IndexBody(ready=request.ready))
        return wire.RepositoryIndexResponse(models=[entry.model_dump() for entry in entries])

    async def _load(self, request: Any, _: Call) -> Any:
        _require_nothing_else(request.parameters)
        await self._control.load(request.model_name, reload=True, pin=None)
        return wire.RepositoryModelLoadResponse()

    async def _unload(self, request: Any, _: Call) -> Any:
        _require_nothing_else(request.parameters)
        await self._control.unload(request.model_name)
        return wire.RepositoryModelUnloadResponse()


def _require_version(version: str) -> None:
    if version not in {"", VERSION}:
        message = f"A preset has one version, {VERSION}; ask for that one, or for none."
        raise PresetNotFoundError(message)


def _require_nothing_else(parameters: Mapping[str, Any]) -> None:
    """Refuse what nobody here does; what changes nothing may be sent."""
    try:
        RepositoryBody.model_validate({"parameters": read_parameters(parameters)})
    except ValidationError as error:
        raise refuse_body(error) from error

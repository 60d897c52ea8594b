"""`POST /fill-mask` with lines: each is a request as the route takes it, and answered by a line."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.routing import Match
from starlette.types import Scope

from model_store.errors import EmptyTextError
from service.errors.exceptions import PayloadTooLargeError, ShuttingDownError
from service.middleware.body.lines import LINES_PATH, is_of_lines
from service.middleware.exception_handlers import log_failure
from service.routes.bulk.line_request import read_line, write_error
from service.routes.bulk.line_stream import LineAnswer, LineLimits, LineStream
from service.routes.calls.timing import TimeoutOf
from service.routes.fill_mask.call import read_call

if TYPE_CHECKING:
    from service.pipeline import Pipeline
    from service.routes.calls.dependencies import MetricsBoard
    from service.settings import Settings


class _LinesRoute(APIRoute):
    """A route for bodies of lines only; it stands before the one that takes all others."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or not is_of_lines(scope):
            return Match.NONE, {}
        return super().matches(scope)


router = APIRouter(route_class=_LinesRoute, include_in_schema=False)


@router.post(LINES_PATH)
async def fill_mask_lines(request: Request, timeout_s: TimeoutOf = None) -> LineStream:
    """Answer each line of a body, in order, while the body still arrives."""
    state = request.app.state
    settings: Settings = state.settings
    answerer = _LineAnswerer(state.pipeline, state.metrics, settings, timeout_s)
    limits = LineLimits(settings.max_pending_lines, settings.max_body_bytes)
    return LineStream(answerer.answer, answerer.tell, limits)


@dataclass(frozen=True, slots=True)
class _LineAnswerer:
    pipeline: "Pipeline"
    metrics: "MetricsBoard"
    settings: "Settings"
    timeout_s: float | None

    async def answer(self, number: int, line: bytes | None) -> LineAnswer:
        try:
            body = read_line(line, self.settings.max_body_bytes)
        except (ValidationError, EmptyTextError, PayloadTooLargeError) as error:
            self.metrics.observe_invalid_request()
            return _write(write_error(error, number))
        preset = body.preset or self.settings.default_preset
        call = read_call(body)
        try:
            # Who sends a million lines does not mind waiting: the queue is for those who do.
            answered = await self.pipeline.run_patiently(preset, call.request, self.timeout_s)
        except Exception as error:  # noqa: BLE001  # whatever it is, the other lines are answered
            return self.tell(number, error)
        return _write(call.write(preset, answered.answer))

    def tell(self, number: int, error: Exception) -> LineAnswer:
        log_failure(error)
        return _write(write_error(error, number), is_last=isinstance(error, ShuttingDownError))


def _write(answer: dict[str, Any], *, is_last: bool = False) -> LineAnswer:
    return LineAnswer(to_json(answer) + b"\n", is_last)

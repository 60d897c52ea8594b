"""Whether the server is ready: whether its default preset fills a mask."""

from collections.abc import Callable
from time import perf_counter

import structlog

from service.errors.exceptions import ShuttingDownError
from service.errors.table import describe_failure
from service.pipeline import Pipeline

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)


class Readiness:
    """Tries the default preset; the log hears of it when the answer is another than before."""

    def __init__(
        self, pipeline: Pipeline, preset: str, clock: Callable[[], float] = perf_counter
    ) -> None:
        """Know nothing yet."""
        self._pipeline = pipeline
        self._preset = preset
        self._clock = clock
        self._since = clock()
        self._state: str | None = None

    async def check(self) -> Exception | None:
        """Fill a mask with the default preset; return what went wrong, if something did."""
        try:
            await self._pipeline.check(self._preset)
        except ShuttingDownError as error:
            return error  # whoever ended the server knows it
        except Exception as error:  # noqa: BLE001  # whatever it is, it is logged and answered
            if self._is_news(repr(error)):
                _LOG.warning("server_not_ready", preset=self._preset, **describe_failure(error))
            return error
        else:
            seconds = round(self._clock() - self._since, 3)
            if self._is_news("ready"):
                _LOG.info("server_ready", preset=self._preset, seconds=seconds)
            return None

    def _is_news(self, state: str) -> bool:
        if state == self._state:
            return False
        self._state, self._since = state, self._clock()
        return True

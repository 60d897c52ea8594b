"""How the server logs: events with fields, one a line on stderr. Only this module sets logs up.

Nothing that callers send is logged. Errors may quote it, so tracebacks leave their messages out, at
every level above `debug`. Nothing else is written to stderr: what Python would write there by
itself, of warnings and of errors that nobody caught, becomes events too.
"""

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger
from tqdm import tqdm

from service.settings import Settings

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)
_OURS = ("service", "model_store")
_SERVERS = ("uvicorn", "uvicorn.error", "asyncio")
_SILENT = "uvicorn.access"


def configure_logs(settings: Settings) -> None:
    """Route every logger of this process to stderr, in the form that the settings name.

    Each process calls it once: one that is spawned inherits nothing.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handler = _EventHandler()
    handler.setFormatter(_create_formatter(settings))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Below a warning, clients of hubs quote addresses that are signed, and headers with tokens.
    root.setLevel(max(level, logging.WARNING))
    for name in (*_OURS, *_SERVERS):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(level)
    # Here too: in a worker, uvicorn has read its options before this.
    logging.getLogger(_SILENT).handlers.clear()
    logging.getLogger(_SILENT).propagate = False
    structlog.configure(
        processors=[*_fields(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_uncaught_in_thread


class _EventHandler(logging.StreamHandler[Any]):
    """Writes to stderr, and never anything but events: not of its own failures either."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write an event, above the line that a terminal shows meanwhile."""
        if self.stream.closed or not self.stream.isatty():
            super().emit(record)
            return
        with tqdm.external_write_mode(file=self.stream):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Say that an event was lost, where Python would write a traceback that quotes it."""
        # Where this one is lost too, nobody reads what is written.
        if record.name != __name__:
            _LOG.error("event_lost", by=record.name, place=f"{record.pathname}:{record.lineno}")


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _LOG.critical("uncaught", exc_info=(kind, error, trace))


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    _LOG.error("unraisable", exc_info=unraisable.exc_value)


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    thread = args.thread.name if args.thread else None
    _LOG.error("uncaught", thread=thread, exc_info=args.exc_value)


def format_traceback(exc_info: ExcInfo) -> str:
    """Return the places and classes of an error and of those that led to it, without messages."""
    return "".join(_describe(exc_info[1], set()))


def _describe(error: BaseException | None, seen: set[int]) -> Iterator[str]:
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    yield from _describe(before, seen)
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _describe(member, seen)
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__module__}.{type(error).__qualname__}\n"


def _create_formatter(settings: Settings) -> logging.Formatter:
    quotes = settings.log_level == "debug"
    # Whoever starts a server may have closed it.
    is_terminal = bool(sys.stderr) and not sys.stderr.closed and sys.stderr.isatty()
    is_for_people = (
        is_terminal if settings.log_format == "auto" else settings.log_format == "console"
    )
    render: Processor = (
        structlog.dev.ConsoleRenderer(colors=is_terminal)
        if is_for_people
        else structlog.processors.JSONRenderer(_to_json)
    )
    exceptions = (
        structlog.processors.format_exc_info
        if quotes
        else structlog.processors.ExceptionRenderer(format_traceback)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_fields(), _add_own_fields, *(() if quotes else (_keep_sentence,))],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            exceptions,
            render,
        ],
    )


def _to_json(event: EventDict, **_: Any) -> str:
    # Ten times as fast as Python's own; what is not JSON is shown as Python shows it.
    try:
        return msgspec.json.encode(event, enc_hook=repr).decode()
    except UnicodeEncodeError:  # the name of a file may be no text
        return json.dumps(event, default=repr)


def _fields() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


_add_extra = structlog.stdlib.ExtraAdder()


def _add_own_fields(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Add what our events carry as `extra`; that of others is for handlers of their own."""
    if event["logger"].partition(".")[0] in _OURS:
        return _add_extra(logger, method, event)
    return event


def _keep_sentence(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop what asyncio adds below its sentence: tasks, with the messages of their errors."""
    if event["logger"] == "asyncio":
        event["event"] = event["event"].partition("\n")[0]
    return event

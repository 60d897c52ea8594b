"""What libraries that are no Python write to stderr, made into events.

TensorFlow and what is under it greet every start with lines that no setting of theirs keeps back,
and no user of a server can act on. They are logged at the level `debug`.
"""

import faulthandler
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)
_STDERR = 2
_PATIENCE_S = 1.0


@contextmanager
def logged_native_output() -> Iterator[None]:
    """Keep the standard error for what Python writes, for the length of a block.

    To be entered before logs are configured. A process that crashes shows where, as Python knows
    it: what the library said last may be lost.
    """
    if not _is_stderr():  # somebody else has taken it: a test
        yield
        return
    kept = sys.stderr
    with os.fdopen(os.dup(_STDERR), "w", buffering=1, errors="backslashreplace") as own:
        reading, writing = os.pipe()
        os.dup2(writing, _STDERR)
        os.close(writing)
        sys.stderr = own
        faulthandler.enable(own)
        logging = threading.Thread(
            target=_log_lines, args=(reading,), name="native output", daemon=True
        )
        logging.start()
        try:
            yield
        finally:
            faulthandler.disable()
            os.dup2(own.fileno(), _STDERR)
            # That ends the pipe, unless a process that was started meanwhile holds it too.
            logging.join(_PATIENCE_S)
            sys.stderr = kept


def _is_stderr() -> bool:
    try:
        return sys.stderr.fileno() == _STDERR
    except (AttributeError, OSError, ValueError):
        return False


def _log_lines(reading: int) -> None:
    with os.fdopen(reading, errors="replace") as lines:
        for line in lines:
            _LOG.debug("library_output", text=line.rstrip())

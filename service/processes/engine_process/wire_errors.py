"""Errors as they cross from the engine process to an HTTP worker.

Only the classes listed here come back as what they were; texts are tokenized by the workers, so
none of them is about a text. Whatever else goes wrong is internal.
"""

from model_store import errors as model_errors
from service.errors import exceptions as errors
from service.processes.engine_process.frames import Failed

KNOWN: dict[str, type[Exception]] = {
    known.__name__: known
    for known in (
        errors.QueueFullError,
        model_errors.RequestLimitError,
        errors.ShuttingDownError,
        errors.ModelReplacedError,
        model_errors.PresetNotFoundError,
        model_errors.PresetUnavailableError,
        model_errors.ModelLoadError,
        model_errors.HeadMissingError,
        model_errors.HeadUnprovenError,
        model_errors.EngineUnavailableError,
        model_errors.InferenceError,
    )
}


class InternalEngineError(Exception):
    """The engine process raised what nobody had planned for; its log has the traceback."""


def dump_error(error: Exception) -> Failed:
    """Return an error as an answer; of one that is not known, nothing but the name of its class."""
    name = type(error).__name__
    if isinstance(error, errors.QueueFullError):
        return Failed(name, str(error), error.wait_s)
    return Failed(name, str(error) if name in KNOWN else "")


def load_error(failed: Failed) -> Exception:
    """Return the error of an answer."""
    known = KNOWN.get(failed.name)
    if known is None:
        return InternalEngineError(failed.name)
    if known is errors.QueueFullError:
        return errors.QueueFullError(failed.wait_s)
    # Their constructors write the message, and it is written already.
    error = known.__new__(known)
    error.args = (failed.message,)
    return error

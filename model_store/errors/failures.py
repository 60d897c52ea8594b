"""What a system or a runtime raises, as one sentence that says what to do.

Files, memory and runtimes fail in ways that no reader of a format foresees. Each place that hands
work to one of them wraps it here, so that nothing of it reaches a caller as a mystery.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model_store.errors.exceptions import (
    EngineUnavailableError,
    InferenceError,
    ModelLoadError,
    ModelStoreError,
)

_LONGEST = 160


def describe(error: BaseException) -> str:
    """Return the class of an error and the first line of what it says, cut where it is long."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    cut = first if len(first) <= _LONGEST else f"{first[:_LONGEST]}…"
    return f"{type(error).__name__}: {cut}".rstrip(": .")


def explain_os_error(error: OSError, path: Path) -> str:
    """Return a sentence on a file that cannot be used; `path` where the error names none."""
    where = error.filename if isinstance(error.filename, str) else path
    reason = error.strerror or type(error).__name__
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk is full at {where}; make room there."
    return f"{where} cannot be used ({reason}); give the user of the server access."


@contextmanager
def reading(directory: Path) -> Iterator[None]:
    """Wrap what reads the files of a preset.

    Raises:
        ModelLoadError: they cannot be read, or there is no memory for them.
    """
    try:
        yield
    except OSError as error:
        raise ModelLoadError(explain_os_error(error, directory)) from error
    except MemoryError as error:
        message = f"There is no memory left for {directory.name}; give it more, or unload others."
        raise ModelLoadError(message) from error


@contextmanager
def running(engine: str, preset: str) -> Iterator[None]:
    """Wrap what hands a preset to a runtime, which may raise whatever it likes.

    Raises:
        EngineUnavailableError: the runtime cannot run it.
    """
    try:
        yield
    except InferenceError as error:
        raise EngineUnavailableError(_explain(engine, preset, error)) from error
    except ModelStoreError:
        raise
    except OSError as error:
        raise EngineUnavailableError(explain_os_error(error, Path(preset))) from error
    except MemoryError as error:
        message = f"There is no memory left for {preset}; give it more, or unload others."
        raise EngineUnavailableError(message) from error
    except Exception as error:
        raise EngineUnavailableError(_explain(engine, preset, error)) from error


def _explain(engine: str, preset: str, error: Exception) -> str:
    return (
        f"{engine} cannot run {preset} ({describe(error)}); mend that, or take another engine by "
        "FILLMASK_ENGINE, or by engine= in Python."
    )

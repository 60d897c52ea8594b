"""Errors that cross the socket: those that are known come back, others tell nothing."""

import pytest

from model_store import errors as model_errors
from model_store.errors import HeadUnprovenError, ModelStoreError
from service.errors import exceptions as errors
from service.errors.exceptions import QueueFullError, ServiceError
from service.processes.engine_process.wire_errors import (
    KNOWN,
    InternalEngineError,
    dump_error,
    load_error,
)

AT_WORKERS_ONLY = {
    errors.UnretriedShutdownError,
    errors.CallerTimeoutError,
    errors.SlowBodyError,
    errors.PresetUnusableError,
    errors.PresetNotLoadedError,
    errors.DeadlineExceededError,
    errors.EncodedBodyError,
    errors.CorruptBodyError,
    errors.EngineLostError,
    errors.HeadTimeoutError,
    errors.HeadersTooLargeError,
    errors.MalformedRequestError,
    errors.PayloadTooLargeError,
    errors.TooManyConnectionsError,
    errors.UnauthorizedError,
}
"""What no engine process raises; neither does it see a text."""


@pytest.mark.parametrize(
    "known", set(KNOWN.values()) - {QueueFullError}, ids=lambda known: known.__name__
)
def test_known_error_comes_back_as_it_was(known: type[Exception]) -> None:
    """Its class and its sentence are all that the table of errors needs."""
    error = known.__new__(known)
    error.args = ("Do this.",)
    back = load_error(dump_error(error))
    assert (type(back), str(back)) == (known, "Do this.")


@pytest.mark.parametrize("error", [QueueFullError(), HeadUnprovenError(-9.0, -8.0)])
def test_sentence_of_a_constructor_comes_back(error: Exception) -> None:
    """Whatever arguments it was made of."""
    assert str(load_error(dump_error(error))) == str(error)


def test_time_until_there_is_room_comes_back() -> None:
    """Callers are told when to come again."""
    back = load_error(dump_error(QueueFullError(6.2)))
    assert isinstance(back, QueueFullError)
    assert back.retry_after_s == 7


def test_class_that_is_not_known_is_internal() -> None:
    """Nothing of its message crosses."""
    failed = dump_error(ValueError("a secret"))
    assert failed.message == ""
    assert isinstance(load_error(failed), InternalEngineError)


def test_no_error_is_forgotten() -> None:
    """A new one is known here, or is said to be none of an engine process."""
    bases = {ServiceError, ModelStoreError}
    raised = {
        error
        for module in (errors, model_errors)
        for error in vars(module).values()
        if isinstance(error, type) and issubclass(error, Exception) and error not in bases
    }
    about_texts = {error for error in raised if issubclass(error, model_errors.InputError)}
    about_texts.remove(model_errors.RequestLimitError)  # queues have limits too
    assert raised - about_texts - AT_WORKERS_ONLY == set(KNOWN.values())

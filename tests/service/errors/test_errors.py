"""The service's own errors: one sentence each, that says what to do."""

import pytest

from service.errors import exceptions as errors

ERRORS = [
    errors.QueueFullError(),
    errors.TooManyConnectionsError(),
    errors.MalformedRequestError(),
    errors.HeadersTooLargeError(1000, 10),
    errors.HeadTimeoutError(1.5),
    errors.DeadlineExceededError(1.5),
    errors.ShuttingDownError(),
    errors.UnretriedShutdownError(),
    errors.EngineLostError(),
    errors.ModelReplacedError(),
    errors.CallerTimeoutError(0.5),
    errors.CallerTimeoutError(0.5, "tiny"),
    errors.SlowBodyError(60),
    errors.PresetUnusableError("Use another preset."),
    errors.PresetNotLoadedError(),
    errors.PayloadTooLargeError(1000),
    errors.EncodedBodyError(),
    errors.CorruptBodyError(),
    errors.UnauthorizedError("This takes a key."),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_message_is_one_sentence(error: errors.ServiceError) -> None:
    """It starts with a capital, ends with a full stop, and has one line."""
    message = str(error)
    assert message[0].isupper()
    assert message.endswith(".")
    assert "\n" not in message


def test_every_error_is_looked_at_here() -> None:
    """A new error has a sentence too."""
    assert find_all(errors.ServiceError) == {type(error) for error in ERRORS}


def find_all(base: type[errors.ServiceError]) -> set[type[errors.ServiceError]]:
    """Return what is derived from a class, at any distance."""
    found = set(base.__subclasses__())
    return found.union(*map(find_all, found))


@pytest.mark.parametrize(
    ("error", "numbers"),
    [
        (errors.QueueFullError(2.5), ["3 s"]),
        (errors.DeadlineExceededError(1.5), ["1.5 seconds"]),
        (errors.CallerTimeoutError(0.5), ["0.5 seconds"]),
        (errors.SlowBodyError(60.0), ["60 seconds"]),
        (errors.PayloadTooLargeError(1000), ["1000 bytes"]),
        (errors.HeadersTooLargeError(1000, 10), ["1000 bytes", "10 fields"]),
        (errors.HeadTimeoutError(1.5), ["1.5 seconds"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_message_names_the_limit(error: errors.ServiceError, numbers: list[str]) -> None:
    """Whoever is refused learns by how much."""
    assert all(number in str(error) for number in numbers)

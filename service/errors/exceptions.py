"""What can go wrong between a request and a model, on the side of the service.

    ServiceError
    ├── QueueFullError           too much is waiting already, or too much for its deadline
    │   └── TooManyConnectionsError  ... or too many connections are open
    ├── DeadlineExceededError    the answer did not come in time
    ├── CallerTimeoutError       the caller gave it less time than that, and that has passed
    ├── SlowBodyError            the body did not arrive in time
    ├── ShuttingDownError        the server takes no new work
    ├── EngineLostError          the process that runs the models ended during the call
    ├── ModelReplacedError       the model that a text was tokenized for has made way for another
    ├── MalformedRequestError    what was sent is no HTTP
    ├── HeadersTooLargeError     the head of the request is larger than allowed
    ├── HeadTimeoutError         the head of the request did not come in time
    ├── PayloadTooLargeError     the body, or a line of it, is larger than allowed
    ├── EncodedBodyError         the body is packed by something else than gzip
    ├── CorruptBodyError         the body is said to be packed by gzip, and is not
    ├── PresetUnusableError      the caller named a preset that can never answer here
    ├── PresetNotLoadedError     the caller asked whether a preset is loaded, and it is not
    └── UnauthorizedError        the caller has no key, or not the right one

What is wrong with a text, a preset or a model is in `model_store.errors`.
"""

import math

from model_store.errors.exceptions import counted


class ServiceError(Exception):
    """Base of everything the service raises on purpose."""


class QueueFullError(ServiceError):
    """The queue of a model has no room for the items of a request, or not in time."""

    def __init__(self, wait_s: float = 0.0) -> None:
        """Say what to do, and in how many seconds there will be room."""
        self.wait_s = wait_s
        self.retry_after_s = max(1, math.ceil(wait_s))
        super().__init__(
            f"Too much is waiting already; try again in {self.retry_after_s} s or send less."
        )


class TooManyConnectionsError(QueueFullError):
    """As many connections are open as may be."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__()
        self.args = ("Too many connections are open already; try again in 1 s on fewer.",)


class DeadlineExceededError(ServiceError):
    """The answer did not come in time."""

    def __init__(self, timeout_s: float, loading: str | None = None) -> None:
        """Name the limit in seconds, and the preset that was being loaded all the while."""
        self.loading = loading
        message = f"No answer within {counted(timeout_s, 'second')}; try again or send less."
        if loading:
            message = (
                f"{loading} is still being loaded after {counted(timeout_s, 'second')}; try again "
                "in a while, GET /presets says how it stands."
            )
        super().__init__(message)


class CallerTimeoutError(ServiceError):
    """The answer did not come in the time that the caller gave."""

    def __init__(self, timeout_s: float, loading: str | None = None) -> None:
        """Name that time in seconds, and the preset that was being loaded all the while."""
        while_loading = f"{loading} is still being loaded; " if loading else ""
        super().__init__(
            f"No answer within the {counted(timeout_s, 'second')} that the request gave; "
            f"{while_loading}give it more time or send less."
        )


class SlowBodyError(ServiceError):
    """The body did not arrive in time."""

    def __init__(self, timeout_s: float) -> None:
        """Name the limit in seconds."""
        super().__init__(
            f"The body did not arrive within {counted(timeout_s, 'second')}; send it at once."
        )


class PresetUnusableError(ServiceError):
    """The caller named a preset that can never answer here; the sentence says why."""


class PresetNotLoadedError(ServiceError):
    """The caller asked whether a preset is loaded, and it is not."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("The preset is not in memory; a request to it loads it.")


class ShuttingDownError(ServiceError):
    """The server takes no new work."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("The server is shutting down; send the request to another one.")


class UnretriedShutdownError(ServiceError):
    """The same, for clients that send a request again at once, and without end, after a 503."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(str(ShuttingDownError()))


class EngineLostError(ServiceError):
    """The process that runs the models ended while it was asked something."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("The engine ended during the request and starts anew; send it again.")


class ModelReplacedError(ServiceError):
    """The files of a preset changed between tokenizing a text and scoring it."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("The files of the preset were replaced just now; send the request again.")


class MalformedRequestError(ServiceError):
    """What was sent is no HTTP."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("The request is no valid HTTP; use a client that speaks HTTP/1.1.")


class HeadersTooLargeError(ServiceError):
    """The head of the request is larger than allowed."""

    def __init__(self, max_bytes: int, max_fields: int) -> None:
        """Name both limits."""
        super().__init__(
            f"The address and headers are more than {max_bytes} bytes or {max_fields} fields; "
            "send less, and texts in the body."
        )


class HeadTimeoutError(ServiceError):
    """The head of the request did not come in time."""

    def __init__(self, timeout_s: float) -> None:
        """Name the limit in seconds."""
        super().__init__(
            f"No whole head of a request came within {counted(timeout_s, 'second')}; send it."
        )


class PayloadTooLargeError(ServiceError):
    """The body, or a line of it that is a request of its own, is larger than allowed."""

    def __init__(self, limit: int, what: str = "body") -> None:
        """Name the limit in bytes."""
        super().__init__(f"The {what} is larger than {limit} bytes; send fewer texts at a time.")


class EncodedBodyError(ServiceError):
    """The body is packed by something else than gzip."""

    def __init__(self) -> None:
        """Say what to send."""
        super().__init__("The body has a content-encoding other than gzip; pack it so, or not.")


class CorruptBodyError(ServiceError):
    """The body is said to be packed by gzip, and is not, or not to its end."""

    def __init__(self) -> None:
        """Say what to send."""
        super().__init__("The body is no whole gzip stream; pack it anew, or send it unpacked.")


class UnauthorizedError(ServiceError):
    """The caller has no key, or not the right one."""

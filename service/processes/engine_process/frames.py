"""What HTTP workers and the engine process say to each other.

A frame is its length, four bytes, and a MessagePack array: the number of a call and a message. A
worker numbers its calls, the answer bears the same number, and many calls are under way at a time.
What is said of texts is in `text_frames`.
"""

from asyncio import IncompleteReadError, StreamReader
from typing import Any, Generic, TypeVar

import msgspec

from service.processes.engine_process.text_frames import Mask, Text
from service.telemetry.tally import Tally

MAX_FRAME_BYTES = 64 * 1024**2
"""Far above what the limits of requests let through, and far below what hurts."""

NO_ANSWER = 0
"""The number of a call that nobody waits for."""

_LENGTH_BYTES = 4

Message = TypeVar("Message")


class FrameError(Exception):
    """A frame is too long, or is none."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered; `ids` are those of the request that it is made for, for the log."""

    ids: dict[str, str] = {}


class Load(Call, tag=True, frozen=True):
    """Have a preset fetched and loaded, as `ModelCache.load` does. Answered by `Done`."""

    preset: str
    reload: bool = False
    pin: bool | None = None


class Unload(Call, tag=True, frozen=True):
    """Give the model of a preset up. Answered by `Done`, when nobody uses it any more."""

    preset: str


class Open(Call, tag=True, frozen=True):
    """Hand out the codec of a preset. Answered by `Opened`."""

    preset: str


class Predict(Call, tag=True, frozen=True):
    """Score texts. Answered by `Predicted`, or refused if the codec has another revision by now."""

    preset: str
    revision: bytes
    texts: list[Text]
    within_s: float


class Check(Call, tag=True, frozen=True):
    """Have the engine of a preset score a text, whatever waits. Answered by `Done`."""

    preset: str


class Cancel(msgspec.Struct, tag=True, frozen=True):
    """Nobody waits for the call of this number any more. Not answered."""


class Describe(Call, tag=True, frozen=True):
    """Say how every preset stands. Answered by `Described`."""


class Expose(Call, tag=True, frozen=True):
    """Show the metrics of the whole service. Answered by `Exposed`."""


class Count(Call, tag=True, frozen=True):
    """Say how the requests for a preset went. Answered by `Counted`."""

    preset: str


class Observed(msgspec.Struct, tag=True):
    """What a worker saw since it last said so. Not answered.

    Attributes:
        requests: the preset, task, outcome, seconds and rows of each request that ended.
        tokenizations: the seconds of each.
        invalid_requests: how many bodies were refused.
        responses: the route and status of each answer.
    """

    requests: list[tuple[str, str, str, float, int]] = []
    tokenizations: list[float] = []
    invalid_requests: int = 0
    responses: list[tuple[str, int]] = []


class Done(msgspec.Struct, tag=True, frozen=True):
    """It is done, and there is nothing to say about it."""


class Opened(msgspec.Struct, tag=True, frozen=True):
    """A `TextCodec` as bytes, and the name of just these bytes."""

    codec: bytes
    revision: bytes


class Predicted(msgspec.Struct, tag=True, frozen=True):
    """For each text, in order, the candidates for each of its masks."""

    texts: list[list[Mask]]
    queue_seconds: float
    inference_seconds: float


class Described(msgspec.Struct, tag=True, frozen=True):
    """The fields of a `PresetInfo` for each preset."""

    presets: list[dict[str, Any]]


class Exposed(msgspec.Struct, tag=True, frozen=True):
    """The metrics in Prometheus' text format."""

    text: bytes


class Counted(msgspec.Struct, tag=True, frozen=True):
    """How the requests for a preset went."""

    tally: Tally


class Failed(msgspec.Struct, tag=True, frozen=True):
    """The call raised an error, of a class that `wire_errors` names, or of any other.

    `wait_s` says of a `QueueFullError` when there will be room.
    """

    name: str
    message: str
    wait_s: float = 0.0


Question = Load | Unload | Open | Predict | Check | Describe | Count | Expose
Request = Question | Cancel | Observed
Answer = Done | Opened | Predicted | Described | Counted | Exposed | Failed

_ENCODER = msgspec.msgpack.Encoder()


def encode_frame(call: int, message: Request | Answer) -> bytes:
    """Return a frame.

    Raises:
        FrameError: it would be too long.
    """
    frame = bytearray(_LENGTH_BYTES)
    _ENCODER.encode_into((call, message), frame, _LENGTH_BYTES)
    length = len(frame) - _LENGTH_BYTES
    if length > MAX_FRAME_BYTES:
        reason = f"A frame of {length} bytes is too long, the limit is {MAX_FRAME_BYTES}."
        raise FrameError(reason)
    frame[:_LENGTH_BYTES] = length.to_bytes(_LENGTH_BYTES, "big")
    return bytes(frame)


class FrameDecoder(Generic[Message]):
    """Decodes frames of one kind."""

    def __init__(self, kind: Any) -> None:
        """Decode `Request` or `Answer`, whichever `kind` is."""
        self._decoder: msgspec.msgpack.Decoder[tuple[int, Message]] = msgspec.msgpack.Decoder(
            tuple[int, kind]
        )

    def decode(self, frame: bytes) -> tuple[int, Message]:
        """Return the call and the message of a frame that came whole.

        Raises:
            FrameError: it is none.
        """
        return self.decode_body(memoryview(frame)[_LENGTH_BYTES:])

    def decode_body(self, body: bytes | memoryview) -> tuple[int, Message]:
        """Return the same, of what follows the length.

        Raises:
            FrameError: it is no frame.
        """
        try:
            return self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise FrameError(str(error)) from error


class FrameReader(Generic[Message]):
    """Reads frames of one kind from a stream."""

    def __init__(self, stream: StreamReader, kind: Any) -> None:
        """Read `Request` or `Answer`, whichever `kind` is."""
        self._stream = stream
        self._decoder: FrameDecoder[Message] = FrameDecoder(kind)

    async def read(self) -> tuple[int, Message] | None:
        """Return the next frame, or None where the stream has ended.

        Raises:
            FrameError: what comes is no frame; nothing after it can be read.
        """
        try:
            length = int.from_bytes(await self._stream.readexactly(_LENGTH_BYTES), "big")
            if length > MAX_FRAME_BYTES:
                message = f"A frame of {length} bytes is announced, the limit is {MAX_FRAME_BYTES}."
                raise FrameError(message)
            return self._decoder.decode_body(await self._stream.readexactly(length))
        except (IncompleteReadError, ConnectionError):
            return None

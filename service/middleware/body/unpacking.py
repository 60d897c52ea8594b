"""Bodies that are packed by gzip, unpacked as they arrive and no faster than they are read."""

import zlib

from starlette.types import Message, Receive

from service.errors.exceptions import CorruptBodyError

_GZIP = 16 + zlib.MAX_WBITS
"""zlib's name for the format with a header and a checksum."""

_PIECE_BYTES = 65_536
"""How much is unpacked at a time: a few bytes may hold gigabytes, and nobody may want them."""


class UnpackedBody:
    """What a packed body holds, in pieces.

    Several packed streams, one after the other, are one body, as gzip itself has it.
    """

    def __init__(self, receive: Receive) -> None:
        """Unpack what comes from the connection."""
        self._receive = receive
        self._packed = b""
        self._stream: zlib._Decompress | None = None
        self._is_whole = False
        self._is_ended = False

    async def receive(self) -> Message:
        """Return the next piece, or what comes after the body.

        Raises:
            CorruptBodyError: what arrived is not, or not to its end, packed by gzip.
        """
        while not self._is_ended:
            if self._packed:
                if piece := self._unpack():
                    return _say(piece, more=True)
            elif self._is_whole:
                if self._stream is not None:
                    raise CorruptBodyError
                self._is_ended = True
                return _say(b"", more=False)
            else:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._packed = message.get("body", b"")
                self._is_whole = not message.get("more_body", False)
        return await self._receive()

    def _unpack(self) -> bytes:
        if self._stream is None:
            self._stream = zlib.decompressobj(_GZIP)
        try:
            piece = self._stream.decompress(self._packed, _PIECE_BYTES)
        except zlib.error as error:
            raise CorruptBodyError from error
        if self._stream.eof:
            self._packed, self._stream = self._stream.unused_data, None
        else:
            self._packed = self._stream.unconsumed_tail
        return piece


def _say(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}

"""Lines out of pieces, and none that is too long is ever whole in memory."""


class LineSplitter:
    """Cuts what arrives at line ends; a line above the limit comes out as None."""

    def __init__(self, max_line_bytes: int) -> None:
        """Have seen nothing yet."""
        self._limit = max_line_bytes
        self._line = bytearray()
        self._is_too_long = False
        self._is_begun = False

    def feed(self, piece: bytes) -> list[bytes | None]:
        """Return the lines that end in a piece, without their ends."""
        first, *whole = piece.split(b"\n")
        if not whole:
            self._add(first)
            return []
        rest = whole.pop()
        # Most lines are in one piece as a whole, and there are many of them.
        limit = self._limit
        lines = [line if len(line) <= limit else None for line in whole]
        lines.insert(0, self._end(first))
        self._add(rest)
        return lines

    def end(self) -> list[bytes | None]:
        """Return the last line, if it has no end of its own."""
        return [self._end(b"")] if self._is_begun else []

    def _add(self, part: bytes) -> None:
        self._is_begun = self._is_begun or bool(part)
        self._is_too_long = self._is_too_long or len(self._line) + len(part) > self._limit
        if self._is_too_long:
            self._line.clear()
        else:
            self._line += part

    def _end(self, part: bytes) -> bytes | None:
        self._add(part)
        line = None if self._is_too_long else bytes(self._line)
        self._line.clear()
        self._is_too_long = self._is_begun = False
        return line

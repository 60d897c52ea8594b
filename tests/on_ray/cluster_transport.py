"""Lets a test take a cluster that serves many tests for a server of its own."""

import asyncio
import re
from typing import Self

import httpx

TOLD_S = 0.5
"""By then every replica has told the board what it saw."""

_OF_THE_BODY = {b"content-encoding", b"content-length", b"transfer-encoding"}
_COUNTED = re.compile(r"(\w+_(?:total|sum|count|bucket))(\{.*\})? (\S+)")


class ClusterTransport(httpx.AsyncBaseTransport):
    """Sends everything to one address, and shows of `/metrics` what was counted since."""

    def __init__(self, url: str, before: str) -> None:
        """Send to a URL; `before` is what `/metrics` showed there at the start."""
        self._url = httpx.URL(url)
        self._transport = httpx.AsyncHTTPTransport(trust_env=False)
        self._before = {
            f"{found[1]}{found[2] or ''}": float(found[3])
            for found in map(_COUNTED.fullmatch, before.splitlines())
            if found
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        # A test may name the server as one process is named.
        request.url = request.url.copy_with(host=self._url.host, port=self._url.port)
        if request.url.path != "/metrics":
            return await self._transport.handle_async_request(request)
        await asyncio.sleep(TOLD_S)
        response = await self._transport.handle_async_request(request)
        lines = (await response.aread()).decode().splitlines(keepends=True)
        text = "".join(filter(None, map(self._since, lines)))
        headers = [each for each in response.headers.raw if each[0].lower() not in _OF_THE_BODY]
        return httpx.Response(response.status_code, headers=headers, text=text)

    async def __aenter__(self) -> Self:
        """Open the transport."""
        await self._transport.__aenter__()
        return self

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()

    def _since(self, line: str) -> str | None:
        """Return a line less what was counted before; none of a series that a new server lacks."""
        found = _COUNTED.fullmatch(line.rstrip())
        if not found:
            return line
        name, labels, value = found[1], found[2] or "", float(found[3])
        before = self._before.get(name + labels)
        if before is None:
            return line
        return None if labels and value == before else f"{name}{labels} {value - before}\n"

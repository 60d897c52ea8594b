"""Lets a test take a cluster that serves many tests for a server of its own."""

import asyncio
import re
from typing import Self

import httpx

from on_ray.shipped_store import Shipment

TOLD_S = 0.5
"""By then every replica has told the board what it saw."""

_OF_THE_BODY = {b"content-encoding", b"content-length", b"transfer-encoding"}
_READING = 'fill_mask_http_responses_total{route="/metrics",status="200"}'
_COUNTED = re.compile(r"(\w+_(?:total|sum|count|bucket))(\{.*\})? (\S+)")


class ClusterTransport(httpx.AsyncBaseTransport):
    """Sends everything to one address, and shows of `/metrics` what was counted since."""

    def __init__(self, url: str, shipment: Shipment, before: str) -> None:
        """Send to a URL, the store first; `before` is what `/metrics` showed at the start."""
        self._shipment = shipment
        self._url = httpx.URL(url)
        self._transport = httpx.AsyncHTTPTransport(trust_env=False)
        self._before = {
            f"{found[1]}{found[2] or ''}": float(found[3])
            for found in map(_COUNTED.fullmatch, before.splitlines())
            if found
        }
        # It was counted after it had been answered.
        self._before[_READING] = self._before.get(_READING, 0) + 1

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, with the test's store as it is now."""
        self._shipment.send()
        try:
            return await self._answer(request)
        finally:
            self._shipment.fetch_loads()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        # A test may name the server as one process is named.
        request.url = request.url.copy_with(host=self._url.host, port=self._url.port)
        if not request.url.path.endswith("/metrics"):
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

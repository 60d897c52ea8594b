"""The files that a page consists of, as browsers are sent them."""

import asyncio
import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is sent, and as what: what `mimetypes` says depends on the machine."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is sent, plain and packed; its tag is the same on every server of a version."""

    media_type: str
    plain: bytes
    packed: bytes
    tag: str


class PageFiles:
    """Every file of a folder that a page may load, read once: nothing else is ever looked up."""

    def __init__(self, folder: Path) -> None:
        """Read nothing yet."""
        self._folder = folder
        self._files: dict[str, _File] | None = None

    async def send(self, path: str, request: Request) -> Response:
        """Answer with a file, or that the browser has it already: it asks each time.

        Raises:
            HTTPException: there is no such file, status 404.
        """
        if self._files is None:
            # To pack a large one takes a while.
            self._files = await asyncio.to_thread(self._read)
        file = self._files.get(path)
        if file is None:
            raise HTTPException(404)
        headers = {"cache-control": "no-cache", "etag": file.tag, "vary": "accept-encoding"}
        known = request.headers.get("if-none-match", "")
        if file.tag in (tag.strip() for tag in known.split(",")):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(file.packed, media_type=file.media_type, headers=headers)
        return Response(file.plain, media_type=file.media_type, headers=headers)

    def _read(self) -> dict[str, _File]:
        return {
            path.relative_to(self._folder).as_posix(): _read(path)
            for path in sorted(self._folder.rglob("*"))
            if path.suffix in _TYPES
        }


def page_router(folder: Path, page: str, *, address: str, below: str) -> APIRouter:
    """Return the routes of a page.

    Args:
        folder: its files.
        page: the name of the one that is the page.
        address: where it is.
        below: what the addresses of its other files begin with.
    """
    files = PageFiles(folder)
    router = APIRouter(include_in_schema=False)

    @router.head(address)
    @router.get(address)
    async def show_page(request: Request) -> Response:
        return await files.send(page, request)

    @router.head(below + "{path:path}")
    @router.get(below + "{path:path}")
    async def send_file(path: str, request: Request) -> Response:
        return await files.send(path, request)

    return router


def _read(path: Path) -> _File:
    plain = path.read_bytes()
    # Weak, for it stands for both forms.
    tag = f'W/"{sha256(plain).hexdigest()[:20]}"'
    return _File(_TYPES[path.suffix], plain, gzip.compress(plain, mtime=0), tag)

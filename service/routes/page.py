"""`GET /`: the playground, and the files below `/page/` that it consists of."""

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

_HERE = Path(__file__).parents[1] / "page"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is sent, and as what: what `mimetypes` says depends on the machine."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but this server's own files, and no script or style inside of the page."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is sent, plain and packed; its tag is the same on every server of a version."""

    media_type: str
    plain: bytes
    packed: bytes
    tag: str


@router.head("/")
@router.get("/")
async def show_page(request: Request) -> Response:
    """Send the page."""
    return _send("index.html", request)


@router.head("/page/{path:path}")
@router.get("/page/{path:path}")
async def send_file(path: str, request: Request) -> Response:
    """Send a file of the page.

    Raises:
        HTTPException: it has no such file, status 404.
    """
    return _send(path, request)


def _send(path: str, request: Request) -> Response:
    """Answer with a file, or that the browser has it already: it asks each time."""
    file = _read_files().get(path)
    if file is None:
        raise HTTPException(404)
    headers = {"cache-control": "no-cache", "etag": file.tag, "vary": "accept-encoding"}
    headers["content-security-policy"] = _POLICY
    known = request.headers.get("if-none-match", "")
    if file.tag in (tag.strip() for tag in known.split(",")):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(file.packed, media_type=file.media_type, headers=headers)
    return Response(file.plain, media_type=file.media_type, headers=headers)


@cache
def _read_files() -> dict[str, _File]:
    """Read every file of the page by its path, once: nothing else is ever looked up on the disk."""
    return {
        path.relative_to(_HERE).as_posix(): _read(path)
        for path in sorted(_HERE.rglob("*"))
        if path.suffix in _TYPES
    }


def _read(path: Path) -> _File:
    plain = path.read_bytes()
    # Weak, for it stands for both forms.
    tag = f'W/"{sha256(plain).hexdigest()[:20]}"'
    return _File(_TYPES[path.suffix], plain, gzip.compress(plain, mtime=0), tag)

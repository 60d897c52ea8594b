"""`GET /docs`, and the files that the page consists of."""

from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

_HERE = Path(__file__).parent
_FILES = {
    "page.css": (_HERE, "text/css"),
    "start.js": (_HERE, "text/javascript"),
    "swagger-ui-bundle.js": (_HERE / "swagger_ui", "text/javascript"),
    "swagger-ui.css": (_HERE / "swagger_ui", "text/css"),
}
"""Where each file lies, and its type: what `mimetypes` says depends on the machine."""

_HEADERS = {"cache-control": "max-age=3600"}

router = APIRouter(include_in_schema=False)


@router.head("/docs")
@router.get("/docs")
async def show_documentation() -> FileResponse:
    """Send the page."""
    return FileResponse(_HERE / "page.html", media_type="text/html", headers=_HEADERS)


@router.head("/docs/{name}")
@router.get("/docs/{name}")
async def send_file(name: str) -> FileResponse:
    """Send one of its files, and nothing else that lies there.

    Raises:
        HTTPException: it has no such file, status 404.
    """
    if name not in _FILES:
        raise HTTPException(404)
    folder, media_type = _FILES[name]
    return FileResponse(folder / name, media_type=media_type, headers=_HEADERS)

"""`GET /docs`, and the files below it that the page consists of."""

from pathlib import Path

from fastapi import APIRouter, Request, Response

from service.routes.calls.page_files import PageFiles

_FILES = PageFiles(Path(__file__).parent)

router = APIRouter(include_in_schema=False)


@router.head("/docs")
@router.get("/docs")
async def show_documentation(request: Request) -> Response:
    """Send the page."""
    return await _FILES.send("page.html", request)


@router.head("/docs/{path:path}")
@router.get("/docs/{path:path}")
async def send_file(path: str, request: Request) -> Response:
    """Send a file of the page.

    Raises:
        HTTPException: it has no such file, status 404.
    """
    return await _FILES.send(path, request)

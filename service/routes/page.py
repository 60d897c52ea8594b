"""`GET /`: the playground, and the files below `/page/` that it consists of."""

from pathlib import Path

from fastapi import APIRouter, Request, Response

from service.routes.calls.page_files import PageFiles

_FILES = PageFiles(Path(__file__).parents[1] / "page")

router = APIRouter(include_in_schema=False)


@router.head("/")
@router.get("/")
async def show_page(request: Request) -> Response:
    """Send the page."""
    return await _FILES.send("index.html", request)


@router.head("/page/{path:path}")
@router.get("/page/{path:path}")
async def send_file(path: str, request: Request) -> Response:
    """Send a file of the page.

    Raises:
        HTTPException: it has no such file, status 404.
    """
    return await _FILES.send(path, request)

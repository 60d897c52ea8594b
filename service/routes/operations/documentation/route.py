"""`GET /docs`, and the files below it that the page consists of."""

from pathlib import Path

from service.routes.calls.page_files import page_router

router = page_router(Path(__file__).parent, "page.html", address="/docs", below="/docs/")

"""`GET /`: the playground, and the files below `/page/` that it consists of."""

from pathlib import Path

from service.routes.calls.page_files import page_router

router = page_router(Path(__file__).parents[1] / "page", "index.html", address="/", below="/page/")

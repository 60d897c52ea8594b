"""`GET /docs`: a page all of whose files come from the server itself."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

import service.routes.operations.documentation as here
from fakes import FakeStore

FOLDER = Path(here.__file__).parent
PIN = Path(__file__).parents[4] / "requirements" / "swagger_ui.py"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
PAGE = (FOLDER / "page.html").read_text("utf-8")
REFERENCES = re.findall(r'(?:src|href)="([^"]+)"', PAGE)
FILES = [reference for reference in REFERENCES if not reference.startswith("data:")]


def test_page_refers_to_its_own_files_only() -> None:
    """By relative addresses, so that any prefix may stand before them."""
    assert len(FILES) == 4
    assert all(re.fullmatch(r"docs/[a-z_./-]+", file) for file in FILES)


@pytest.mark.parametrize("file", FILES)
async def test_each_file_is_served(client: httpx.AsyncClient, file: str) -> None:
    """With its type, which no browser may guess, and packed: Swagger UI is large."""
    answer = await client.get(f"/{file}", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == TYPES[Path(file).suffix]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == (FOLDER / file.removeprefix("docs/")).read_bytes()
    head = await client.head(f"/{file}", headers={"accept-encoding": "gzip"})
    assert head.headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize("name", ["page.html", "page.css", "start.js", "swagger_ui/swagger-ui.css"])
def test_nothing_is_fetched_from_elsewhere(name: str) -> None:
    """No file names another host; what Swagger UI's script does is seen in a browser."""
    text = (FOLDER / name).read_text("utf-8")
    # Names of XML, which nobody fetches.
    text = re.sub(r"http://www\.w3\.org/\d+/\w+", "", text)
    text = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    assert not re.search(r"https?:|[\"'(=]//", text)


def test_swagger_ui_is_the_version_that_is_pinned() -> None:
    """`make swagger-ui` was run after the pin was moved."""
    pinned = re.search(r'^VERSION = "(.+)"$', PIN.read_text("utf-8"), re.MULTILINE)
    assert pinned
    bundle = (FOLDER / "swagger_ui" / "swagger-ui-bundle.js").read_text("utf-8")
    assert pinned[1] in bundle


def test_no_map_is_asked_for() -> None:
    """It is as large again, and for its authors."""
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert "sourceMappingURL=" not in (FOLDER / "swagger_ui" / name).read_text("utf-8")


async def test_page_may_run_its_own_files_only(client: httpx.AsyncClient) -> None:
    """No script and no style stands in a page, so none that somebody smuggled in would run."""
    policy = (await client.get("/docs")).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'; script-src 'self';" in policy
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)", PAGE)


async def test_slash_too_many_leads_to_the_page(client: httpx.AsyncClient) -> None:
    """Below it the page would look for its files in the wrong place."""
    assert (await client.get("/docs/")).headers["location"] == "/docs"


@pytest.mark.parametrize(
    "name", ["route.py", "..%2Fprobes.py", "swagger_ui", "swagger_ui/LICENSE", "x/"]
)
async def test_nothing_else_is_served(client: httpx.AsyncClient, name: str) -> None:
    """Not what lies beside the files."""
    assert (await client.get(f"/docs/{name}")).status_code == 404


async def test_other_pages_are_gone(client: httpx.AsyncClient) -> None:
    """FastAPI's would load their files from elsewhere."""
    assert (await client.get("/redoc")).status_code == 404


async def test_page_opens_without_a_key_and_the_document_does_not(
    store: FakeStore, serve: Any
) -> None:
    """A browser cannot show one before its user could type it."""
    stranger = {"authorization": "Bearer nobody"}
    async with serve(store, api_keys=("one",)) as client:
        for path in ("/docs", "/docs/start.js", "/docs/none"):
            assert (await client.get(path, headers=stranger)).status_code in {200, 404}
        for method, path in (("GET", "/openapi.json"), ("POST", "/docs"), ("GET", "/docsx")):
            answer = await client.request(method, path, headers=stranger)
            assert answer.status_code == 401

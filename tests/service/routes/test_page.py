"""The page's files: what is sent, as what, and how little when it is asked for again."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakes import FakeStore
from service.routes import page

HERE = Path(page.__file__).parents[1] / "page"
FILES = sorted(
    path.relative_to(HERE).as_posix()
    for path in HERE.rglob("*")
    if path.is_file() and path.suffix not in {".py", ".pyc"}
)
PLAIN = {"accept-encoding": "identity"}


async def test_page_is_there(client: httpx.AsyncClient) -> None:
    """Under the root, and in full."""
    answer = await client.get("/", headers=PLAIN)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.content == (HERE / "index.html").read_bytes()


@pytest.mark.parametrize("path", FILES)
async def test_every_file_is_sent(client: httpx.AsyncClient, path: str) -> None:
    """Those of the page's folder, plain where nobody can unpack them."""
    answer = await client.get(f"/page/{path}", headers=PLAIN)
    assert answer.status_code == 200
    assert answer.content == (HERE / path).read_bytes()
    assert "content-encoding" not in answer.headers


async def test_file_is_packed_for_who_can_unpack_it(client: httpx.AsyncClient) -> None:
    """A cache on the way keeps both forms apart."""
    packed = await client.get("/page/main.js", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "accept-encoding"
    assert packed.content == (HERE / "main.js").read_bytes()
    assert int(packed.headers["content-length"]) < len(packed.content)


@pytest.mark.parametrize("path", ["/", "/page/main.js"])
@pytest.mark.parametrize("known", ["{tag}", 'W/"other", {tag}'])
async def test_file_that_is_known_is_not_sent_again(
    client: httpx.AsyncClient, path: str, known: str
) -> None:
    """A browser asks each time, so that it never mixes files of two versions."""
    first = await client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    again = await client.get(path, headers={"if-none-match": known.format(tag=tag)})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


async def test_file_that_changed_is_sent(client: httpx.AsyncClient) -> None:
    """The tag is that of the content."""
    answer = await client.get("/", headers={"if-none-match": 'W/"other"'})
    assert answer.status_code == 200
    others = await client.get("/page/main.js")
    assert others.headers["etag"] != answer.headers["etag"]


@pytest.mark.parametrize(
    "path", ["nothing.js", "", "__init__.py", "../settings.py", "%2e%2e/app.py", "views"]
)
async def test_nothing_else_is_sent(client: httpx.AsyncClient, path: str) -> None:
    """No other file of the server, and no list of a folder."""
    answer = await client.get(f"/page/{path}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "code"}


@pytest.mark.parametrize("path", ["/", "/page/icon.svg"])
async def test_head_is_answered(client: httpx.AsyncClient, path: str) -> None:
    """As for every GET."""
    assert (await client.head(path)).status_code == 200


async def test_page_needs_no_key_and_all_that_it_asks_does(store: FakeStore, serve: Any) -> None:
    """It is the same everywhere; and only looking at it is free."""
    async with serve(store, api_keys=("one",)) as client:
        del client.headers["authorization"]
        open_to_all = [await client.get("/"), await client.get("/page/main.js")]
        kept = [
            await client.get("/presets"),
            await client.post("/fill-mask", json={}),
            await client.post("/"),
            await client.post("/page/main.js"),
            await client.get("/pages"),
        ]
    assert {answer.status_code for answer in open_to_all} == {200}
    assert {answer.status_code for answer in kept} == {401}


async def test_page_may_load_its_own_files_only(client: httpx.AsyncClient) -> None:
    """And nothing that stands in it is a script or a style."""
    policy, *_ = (await client.get("/")).headers.get_list("content-security-policy")
    directives = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert (
        directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    )
    assert directives["base-uri"] == directives["frame-ancestors"] == "'none'"
    markup = (HERE / "index.html").read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! [^>]*src=)", markup)


def test_page_names_relative_addresses_only() -> None:
    """It works below any prefix, and asks nobody else."""
    markup = (HERE / "index.html").read_text("utf-8")
    named = re.findall(r'(?:href|src)="([^"]+)"', markup)
    assert named
    assert [address for address in named if re.match(r"/|[a-z]+:", address)] == []
    assert {address for address in named if address.startswith("page/")} <= {
        f"page/{path}" for path in FILES
    }


def test_every_module_is_asked_for_at_once() -> None:
    """A browser that finds modules one by one, import by import, paints late."""
    markup = (HERE / "index.html").read_text("utf-8")
    preloaded = set(re.findall(r'rel="modulepreload" href="page/([^"]+)"', markup))
    assert preloaded == {path for path in FILES if path.endswith(".js")} - {"main.js", "theme.js"}


@pytest.mark.parametrize("path", FILES)
def test_file_is_short(path: str) -> None:
    """As every file of the house is."""
    assert len((HERE / path).read_text("utf-8").splitlines()) < 300

"""The page at `/docs` in a browser: whole, of this server's files only, and good to try things."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.running_server import RunningServer

pytestmark = pytest.mark.browser


@pytest.fixture(params=["", "/fillmask"], ids=["without a prefix", "under a prefix"])
def root(request: pytest.FixtureRequest, server: RunningServer) -> str:
    """Return where the service is found."""
    return f"{server.url}{request.param}"


@pytest.fixture
def seen() -> dict[str, list[str]]:
    """Return what a page asked for, and what it complained of."""
    return {"requests": [], "complaints": []}


@pytest.fixture
def page(browser: Browser, seen: dict[str, list[str]]) -> Iterator[Page]:
    """Return a new page, watched."""
    with browser.new_context() as context:
        page = context.new_page()
        page.on("request", lambda request: seen["requests"].append(request.url))
        page.on("console", lambda message: seen["complaints"].append(message.text))
        page.on("pageerror", lambda error: seen["complaints"].append(str(error)))
        yield page


def open_with_key(page: Page, root: str, key: str = "key") -> None:
    """Open the page and give a key."""
    page.goto(f"{root}/docs")
    page.get_by_label("This server asks for a key").fill(key)
    page.get_by_role("button", name="Show").click()


def count_operations(root: str) -> int:
    """Return how many the document has."""
    headers = {"authorization": "Bearer key"}
    document: Any = httpx.get(f"{root}/openapi.json", headers=headers, trust_env=False).json()
    return sum(map(len, document["paths"].values()))


def test_page_shows_every_operation_from_this_server_alone(
    page: Page, root: str, seen: dict[str, list[str]]
) -> None:
    """No other host is asked for anything, and nothing is against the page's own policy."""
    open_with_key(page, root)
    expect(page.locator(".opblock")).to_have_count(count_operations(root))
    assert {url for url in seen["requests"] if not url.startswith((f"{root}/", "data:"))} == set()
    assert f"{root}/openapi.json" in seen["requests"]
    # The first try, without a key, is one.
    assert [text for text in seen["complaints"] if "401" not in text] == []


def test_operation_is_tried_where_the_service_is(page: Page, root: str) -> None:
    """With the key, and under the prefix."""
    open_with_key(page, root)
    operation = page.locator(".opblock").filter(has=page.locator('[data-path="/info"]'))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    with page.expect_response(f"{root}/info") as answered:
        operation.get_by_role("button", name="Execute").click()
    assert answered.value.status == 200
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text(
        "200"
    )


def test_page_is_dark_where_all_is(browser: Browser, root: str) -> None:
    """As the system of its reader says."""
    for scheme, is_dark in (("dark", True), ("light", False)):
        with browser.new_context(color_scheme=scheme) as context:  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(f"{root}/docs")
            expect(page.get_by_label("This server asks for a key")).to_be_visible()
            assert bool(page.locator("html.dark-mode").count()) == is_dark


def test_wrong_key_is_said_to_be_wrong(page: Page, root: str) -> None:
    """And another one may be given."""
    open_with_key(page, root, "lock")
    expect(page.get_by_role("alert")).to_contain_text("That key does not open this server.")
    expect(page.locator(".opblock")).to_have_count(0)
    open_with_key(page, root)
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator(".opblock").first).to_be_visible()

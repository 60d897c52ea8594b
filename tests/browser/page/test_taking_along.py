"""What is taken from the playground: links, code; and what it takes itself to be seen."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import playwright
import pytest
from playwright.sync_api import Page, expect

from browser.page.visits import Visits, text_of, words
from e2e.running_server import RunningServer

pytestmark = pytest.mark.browser

MOST_BYTES = 60_000
NODE = Path(playwright.__file__).parent / "driver" / "node"
RUN = {
    "curl": lambda code: ["/bin/sh", "-c", code],
    "Python": lambda code: [sys.executable, "-c", code],
    "JavaScript": lambda code: [str(NODE), "--input-type=module", "-e", code],
}
QUESTIONS: list[dict[str, Any]] = [
    {"text": 'It\'s "[MASK]" & $HOME `id` \\ 😀.', "top_k": "3"},
    {"text": "She is a very [MASK] person.", "targets": "good,it's,a\"b"},
    {"text": "The [MASK] [MASK].", "decode": "joint", "preset": "twin"},
]
TWO = {"text": "A [MASK].", "compare": "twin"}


def copy(page: Page, button: str) -> str:
    """Press a button that copies, and return what it copied."""
    page.get_by_role("button", name=button).click()
    expect(page.locator("#copied")).to_contain_text("opied.")
    copied: str = page.evaluate("navigator.clipboard.readText()")
    return copied


@pytest.mark.parametrize("language", RUN)
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["text"])
def test_copied_code_runs(visits: Visits, question: dict[str, Any], language: str) -> None:
    """As it is, with whatever stands in the sentence, and it is answered as the page is."""
    page = visits.open(question=question)
    page.get_by_label(language).check()
    command = RUN[language](copy(page, "Copy the code"))
    env = {"PATH": "/usr/bin:/bin", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    told = subprocess.run(command, capture_output=True, check=True, env=env)  # noqa: S603
    (result,) = json.loads(told.stdout)["results"]
    if "sequences" in result:
        answered = [each["sequence"] for each in [*result["sequences"], result["independent"]]]
    else:
        answered = [
            each.get("target", each["token_str"])
            for mask in result["masks"]
            for each in mask["predictions"]
        ]
    assert words(page) == answered


@pytest.mark.parametrize(
    "question", [*QUESTIONS, {"text": "A [MASK].", "compare": "twin"}], ids=str
)
def test_link_leads_to_the_same_question(visits: Visits, question: dict[str, Any]) -> None:
    """With all that was chosen, in another browser."""
    page = visits.open(question=question)
    link = copy(page, "Copy a link")
    other = visits.open(wait=False)
    other.goto("about:blank")
    other.goto(link)
    expect(other.locator(".candidate")).to_have_count(page.locator(".candidate").count())
    assert words(other) == words(page)
    assert other.locator("#code").inner_text() == page.locator("#code").inner_text()
    assert other.url == link


def test_address_follows_what_is_asked(visits: Visits) -> None:
    """And the page follows the address."""
    page = visits.open()
    page.get_by_label("Write a sentence").fill("Cats chase [MASK].")
    page.wait_for_url("**/#text=Cats+chase+*")
    page.evaluate("location.hash = '#text=Dogs+chase+%5BMASK%5D.'")
    expect(page.get_by_label("Write a sentence")).to_have_value("Dogs chase [MASK].")


def test_no_server_hears_of_a_shared_question(visits: Visits) -> None:
    """The fragment stays in the browser; the server gets what POST /fill-mask has."""
    visits.open(question={"text": "A secret [MASK]."})
    assert [request for request in visits.asked if "secret" in request.url] == []


def test_first_paint_is_small_and_from_this_server_alone(
    visits: Visits, open_server: RunningServer
) -> None:
    """All that a first visit moves, heads and answers included."""
    page = visits.open()
    page.wait_for_load_state("networkidle")
    heads = sum(request.sizes()["responseHeadersSize"] for request in visits.answered)
    bodies = sum(request.sizes()["responseBodySize"] for request in visits.answered)
    assert {httpx.URL(request.url).netloc for request in visits.asked} == {
        httpx.URL(open_server.url).netloc
    }
    assert len(visits.answered) > 20
    assert heads + bodies < MOST_BYTES


def test_sentence_is_never_markup(visits: Visits) -> None:
    """Whatever somebody puts into a link."""
    text = "<img src=x onerror=alert(1)> [MASK] </textarea><script>alert(1)</script>"
    page = visits.open(question={"text": text, "targets": "<b>x</b>"})
    assert text_of(page) == text
    assert page.locator("main img, main script").count() == 0
    assert words(page) == ["<b>x</b>"]

"""What the playground does when something is in the way: it says so, waits, and goes on."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from browser.page.presets import SERVER
from browser.page.visits import Visits, text_of, words
from e2e.running_server import RunningServer, start_server, stop

pytestmark = pytest.mark.browser

PATIENCE_MS = 240_000
"""A server starts and converts a model in this time, on a machine that does more than that."""

CONNECTIONS = 20


def test_preset_is_switched_while_another_one_loads(visits: Visits) -> None:
    """The page says that it loads, answers from the other one meanwhile, and sees it ready."""
    page = visits.open()
    before = words(page)
    page.get_by_label("Model").select_option("slow")
    expect(page.get_by_text("slow is loading,")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("progressbar", name="slow is loading")).to_be_visible()
    page.get_by_label("Model").select_option("minilm_l6_en_uncased")
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(page.locator(".candidate")).to_have_count(len(before))
    assert words(page) == before
    # Nobody asks for it any more; what was begun goes on, and the list hears of it.
    listed = page.locator("#preset option[value=slow]")
    expect(listed).to_have_text("slow – ready", timeout=PATIENCE_MS)
    page.get_by_label("Model").select_option("slow")
    expect(page.get_by_role("heading", name="slow")).to_be_visible()
    expect(page.locator(".candidate")).to_have_count(len(before))


def test_server_goes_and_comes_back(visits: Visits, tmp_path: Path) -> None:
    """The page says so, and has its answer when the server is there again, by itself."""
    with start_server({"FILLMASK_OFFLINE": "1"}, tmp_path, SERVER) as server:
        page = visits.open(server.url)
        stop(server.process)
    page.get_by_label("Write a sentence").fill("Cats chase [MASK].")
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("The server cannot be reached. Trying again in")
    # What is still shown was for another text: it must not take the new one's place.
    page.locator(".candidate").first.click()
    assert text_of(page) == "Cats chase [MASK]."
    port = int(server.url.rpartition(":")[2])
    with start_server({"FILLMASK_OFFLINE": "1"}, tmp_path, SERVER, port):
        expect(page.get_by_label("Candidates for mask 1")).to_contain_text("cats", timeout=60_000)
        expect(notice).to_be_hidden()
        assert text_of(page) == "Cats chase [MASK]."


@contextmanager
def all_connections(server: RunningServer) -> Iterator[None]:
    """Hold every connection that a server has, those of the browser once they are given up."""
    host, port = server.url.removeprefix("http://").split(":")
    with ExitStack() as held:
        for _ in range(CONNECTIONS):
            connection = held.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(b"GET / HTTP/1.1\r\n")
        with httpx.Client(trust_env=False) as client:
            # One more is one too many, from when the browser has none.
            assert client.get(f"{server.url}/healthz").status_code == 429
        yield


def test_overload_is_waited_out(visits: Visits, tmp_path: Path) -> None:
    """The server's sentence is shown, and for how long; then there is an answer, by itself."""
    env = {
        "FILLMASK_OFFLINE": "1",
        "FILLMASK_MAX_CONNECTIONS": str(CONNECTIONS),
        "FILLMASK_HEADER_TIMEOUT_S": "600",
        "FILLMASK_KEEP_ALIVE_TIMEOUT_S": "0",
    }
    with start_server(env, tmp_path, SERVER) as server:
        page = visits.open(server.url)
        with all_connections(server):
            page.get_by_label("Write a sentence").fill("Cats chase [MASK].")
            notice = page.get_by_role("alert")
            expect(notice).to_contain_text("Too many connections are open already")
            expect(notice).to_contain_text("Trying again in 1 s.")
        expect(page.get_by_label("Candidates for mask 1")).to_contain_text("cats")
        expect(notice).to_be_hidden()


def give_key(page: Page, key: str) -> None:
    """Fill in the form."""
    page.get_by_label("This server asks for a key").fill(key)
    page.get_by_role("button", name="Use this key").click()


@pytest.mark.parametrize("prefix", ["", "/fillmask"])
def test_key_is_asked_for(visits: Visits, server: RunningServer, prefix: str) -> None:
    """A wrong one again, the right one until it is forgotten; below a prefix too."""
    page = visits.open(f"{server.url}{prefix}", wait=False)
    expect(page.get_by_role("alert")).to_contain_text("This takes a key")
    give_key(page, "lock")
    expect(page.get_by_label("This server asks for a key")).to_be_focused()
    give_key(page, "key")
    expect(page.locator(".candidate").first).to_be_visible()
    expect(page.get_by_label("This server asks for a key")).to_be_hidden()
    expect(page.get_by_label("Model")).to_contain_text("ready")
    page.reload()
    expect(page.locator(".candidate").first).to_be_visible()
    assert "key=" not in page.url
    assert '"authorization: Bearer $FILLMASK_API_KEY"' in page.locator("#code").inner_text()
    page.get_by_role("button", name="Forget the key").click()
    expect(page.get_by_label("This server asks for a key")).to_be_visible()


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"text": "A [MASK].", "preset": "nothing"}, "There is no preset of that name"),
        ({"text": "[MASK] " + "word " * 600}, "tokens"),
        ({"text": "A [MASK].", "top_k": "1000"}, "asks for 1000 predictions"),
    ],
)
def test_refusal_is_the_servers_sentence(
    visits: Visits, question: dict[str, str], sentence: str
) -> None:
    """Where the answer would be; and it is gone with the next answer."""
    page = visits.open(question=question, wait=False)
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.get_by_role("button", name="One mask").click()
    page.get_by_label("Model").select_option("minilm_l6_en_uncased")
    page.get_by_label("Candidates", exact=True).select_option("5")
    expect(page.locator(".candidate")).to_have_count(5)
    expect(page.get_by_role("alert")).to_be_hidden()

"""Visits to the playground: pages that are watched, and what is seen on them."""

from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request

_WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""
_PATIENCE_MS = 15_000
_NETWORK = "Failed to load resource"
"""How a browser notes an answer that is an error; the page shows those to people."""


class Visits:
    """Opens pages, and hears what they complain of.

    Attributes:
        complaints: what a page wrote to its console, and errors that nobody caught.
        asked: every request.
        answered: those that have an answer, all of it.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        """Open nothing yet."""
        self._browser = browser
        self._url = url
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.asked: list[Request] = []
        self.answered: list[Request] = []

    def open(
        self, url: str = "", *, wait: bool = True, question: Any = None, **options: Any
    ) -> Page:
        """Open the page in a browser of its own.

        Args:
            url: the server's, if not the usual one.
            wait: whether to wait for the first candidate.
            question: fields of the fragment.
            options: of the browser: its size, its colours.
        """
        context = self._browser.new_context(**options)
        context.set_default_timeout(_PATIENCE_MS)
        context.add_init_script(_WATCH)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        self._contexts.append(context)
        page = context.new_page()
        page.on("request", self._note)
        page.on("requestfinished", self._note_answer)
        page.on("console", lambda message: self._hear(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        fragment = f"#{urlencode(question)}" if question else ""
        page.goto(f"{url or self._url}/{fragment}")
        if wait:
            page.locator(".candidate").first.wait_for()
        return page

    def end(self) -> None:
        """Close every page, and fail where one did something that it must not."""
        for context in self._contexts:
            for page in context.pages:
                assert page.evaluate("violations") == []
            context.close()
        assert self.complaints == []

    def _note(self, request: Request) -> None:
        self.asked.append(request)

    def _note_answer(self, request: Request) -> None:
        self.answered.append(request)

    def _hear(self, text: str) -> None:
        if not text.startswith(_NETWORK):
            self.complaints.append(text)


def words(mask: Locator | Page) -> list[str]:
    """Return the words of the candidates in a part of a page, in order."""
    return mask.locator(".candidate .word").all_text_contents()


def text_of(page: Page) -> str:
    """Return the sentence."""
    return page.get_by_label("Write a sentence").input_value()

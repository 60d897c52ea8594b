"""Who can use the playground: with a keyboard, with a screen reader, in the dark, on a phone."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from browser.page.visits import Visits, text_of

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1200, "height": 900}
PHONE = {"width": 360, "height": 740}
SHOWN = {
    "one mask": {"text": "The capital of France is [MASK]."},
    "two presets": {"text": "The [MASK] sat on the [MASK].", "compare": "twin"},
    "jointly": {"text": "He is the president of the [MASK] [MASK].", "decode": "joint"},
    "own words": {"text": "A [MASK].", "targets": "cat, trustworthy, ☃"},
    "no mask": {"text": "A cat."},
    "refused": {"text": "A [MASK].", "preset": "nothing"},
}
SEEN = {"no mask": ".nothing", "refused": ".answer .notice"}


def faults(page: Page) -> list[str]:
    """Return what axe calls serious or critical."""
    found: Any = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html']}"
        for each in found
        for node in each["nodes"]
        if each["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("shown", SHOWN)
def test_axe_finds_nothing_serious(
    visits: Visits, shown: str, colours: str, size: dict[str, int]
) -> None:
    """In both colours, on both sizes, whatever is shown."""
    page = visits.open(
        question=SHOWN[shown],
        wait=False,
        viewport=size,
        color_scheme=colours,
        reduced_motion="reduce",
    )
    page.locator(SEEN.get(shown, ".candidate")).first.wait_for()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert faults(page) == []


def test_axe_would_find_something(visits: Visits) -> None:
    """It looks at this page, and names what is wrong."""
    page = visits.open()
    page.evaluate("document.querySelector('label[for=preset]').remove()")
    assert [fault for fault in faults(page) if fault.startswith("select-name")]


@pytest.mark.parametrize("shown", SHOWN)
def test_phone_shows_all_without_scrolling_aside(visits: Visits, shown: str) -> None:
    """360 pixels are wide enough; every button is high enough for a finger."""
    page = visits.open(question=SHOWN[shown], wait=False, viewport=PHONE)
    page.locator(SEEN.get(shown, ".candidate")).first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    heights = page.locator("button:visible:not(#words button)").evaluate_all(
        "buttons => buttons.map(button => button.getBoundingClientRect().height)"
    )
    assert min(heights) >= 40


def test_all_is_done_with_a_keyboard(visits: Visits) -> None:
    """A word is masked, a candidate is chosen, and the focus is never lost."""
    page = visits.open(question={"text": "The black cat sat."}, wait=False)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the sentence")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Write a sentence")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#words").get_by_role("button", name="cat")).to_be_focused()
    page.keyboard.press("Enter")
    assert text_of(page) == "The black [MASK] sat."
    mask = page.get_by_role("button", name="Mask 1: go to its candidates")
    expect(mask).to_be_focused()
    candidates = page.get_by_label("Candidates for mask 1").get_by_role("button")
    expect(candidates).to_have_count(5)
    page.keyboard.press("Enter")
    expect(candidates.first).to_be_focused()
    page.keyboard.press("Tab")
    expect(candidates.nth(1)).to_be_focused()
    word = candidates.nth(1).locator(".word").text_content()
    page.keyboard.press("Enter")
    assert text_of(page) == f"The black {word} sat."
    expect(page.get_by_label("Answers")).to_be_focused()


def test_next_mask_has_the_focus_when_one_is_filled(visits: Visits) -> None:
    """So that Enter after Enter fills them all."""
    page = visits.open(question={"text": "The [MASK] sat on the [MASK]."})
    page.get_by_label("Candidates for mask 1").get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Candidates for mask 2")).to_have_count(0)
    left = page.get_by_label("Candidates for mask 1").get_by_role("button")
    expect(left.first).to_be_focused()
    page.keyboard.press("Enter")
    assert "[MASK]" not in text_of(page)


def test_answer_is_announced(visits: Visits) -> None:
    """In one sentence a mask."""
    page = visits.open()
    expect(page.locator("#news")).to_contain_text("Mask 1: paris 15.5 %, france 13.8 %, monaco")


def ground(page: Page) -> str:
    """Return the colour that all stands on."""
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_colours_are_the_systems_until_somebody_chooses(visits: Visits) -> None:
    """And the choice is kept."""
    page = visits.open(color_scheme="dark")
    dark = ground(page)
    page.emulate_media(color_scheme="light")
    light = ground(page)
    assert dark != light
    page.get_by_role("button", name="Dark theme").click()
    assert ground(page) == dark
    page.reload()
    assert ground(page) == dark
    page.get_by_role("button", name="Light theme").click()
    assert ground(page) == light


def test_motion_stops_where_it_is_not_wanted(visits: Visits) -> None:
    """No bar grows then."""
    page = visits.open(reduced_motion="reduce")
    moving = page.locator(".candidate").first.evaluate(
        "row => getComputedStyle(row, '::before').transition"
    )
    assert moving.startswith("none")

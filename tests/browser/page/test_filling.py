"""Sentences, masks and candidates: what people do with the playground."""

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from browser.page.visits import Visits, text_of, words
from e2e.running_server import RunningServer

pytestmark = pytest.mark.browser

CAT = "The [MASK] sat on the [MASK]."
PRESIDENT = "He is the president of the [MASK] [MASK]."


def ask(server: RunningServer, **body: Any) -> Any:
    """Return the server's answer to one text."""
    answer = httpx.post(f"{server.url}/fill-mask", json=body, trust_env=False)
    return answer.raise_for_status().json()["results"][0]


def candidate(page: Page, word: str, mask: int = 1) -> Any:
    """Return the button of a candidate."""
    return page.get_by_label(f"Candidates for mask {mask}").get_by_role("button", name=word)


def test_candidates_are_the_servers(visits: Visits, open_server: RunningServer) -> None:
    """With their probabilities, the likeliest first, and bars as long."""
    page = visits.open()
    (mask,) = ask(open_server, inputs=text_of(page), top_k=5)["masks"]
    assert words(page) == [each["token_str"] for each in mask["predictions"]]
    shown = [float(each.split()[0]) for each in page.locator(".score").all_text_contents()]
    assert shown == pytest.approx([100 * each["score"] for each in mask["predictions"]], rel=5e-3)
    bars = page.locator(".candidate").evaluate_all(
        "rows => rows.map(row => parseFloat(getComputedStyle(row, '::before').width))"
    )
    assert bars == sorted(bars, reverse=True)
    assert bars[1] / bars[0] == pytest.approx(shown[1] / shown[0], rel=0.02)


def test_word_is_masked_by_a_click_and_filled_by_another(visits: Visits) -> None:
    """And after the last one the page says how to go on."""
    page = visits.open(question={"text": "The capital of France is Paris."}, wait=False)
    expect(page.locator(".nothing")).to_contain_text("Click a word to mask it, and see")
    page.locator("#words").get_by_role("button", name="capital").click()
    assert text_of(page) == "The [MASK] of France is Paris."
    first = page.locator(".candidate .word").first
    word = first.text_content()
    first.click()
    assert text_of(page) == f"The {word} of France is Paris."
    expect(page.locator(".nothing")).to_contain_text("No mask is left.")
    expect(page.locator(".candidate:visible")).to_have_count(0)


def test_mask_is_typed(visits: Visits) -> None:
    """Whoever stops typing sees what fits."""
    page = visits.open()
    page.get_by_label("Write a sentence").fill("Cats chase [MASK].")
    expect(page.get_by_label("Candidates for mask 1")).to_contain_text("cats")


def test_mask_is_inserted_where_the_text_is_selected(visits: Visits) -> None:
    """Nobody on a phone likes to type brackets."""
    page = visits.open(question={"text": "A black cat."}, wait=False)
    page.get_by_label("Write a sentence").evaluate("area => area.setSelectionRange(2, 7)")
    page.get_by_role("button", name="Insert a mask").click()
    assert text_of(page) == "A [MASK] cat."
    expect(page.get_by_label("Candidates for mask 1")).to_be_visible()


def test_several_masks_are_filled_one_by_one(visits: Visits) -> None:
    """The second first: the other mask stays, and is asked with it in place."""
    page = visits.open(question={"text": CAT})
    expect(page.locator("#words .mask-word")).to_have_text(["1", "2"])
    candidate(page, "floor", mask=2).click()
    assert text_of(page) == "The [MASK] sat on the floor."
    expect(page.get_by_label("Candidates for mask 2")).to_have_count(0)
    expect(page.get_by_label("Candidates for mask 1")).to_be_visible()


def test_number_of_a_mask_leads_to_its_candidates(visits: Visits) -> None:
    """It has the focus of the keyboard then."""
    page = visits.open(question={"text": CAT})
    page.get_by_role("button", name="Mask 2: go to its candidates").click()
    lists = page.get_by_label("Candidates for mask 2")
    expect(lists.get_by_role("button").first).to_be_focused()


def test_what_was_filled_can_be_undone(visits: Visits) -> None:
    """Step by step, until there is none."""
    page = visits.open(question={"text": CAT})
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    candidate(page, "floor", mask=2).click()
    page.locator("#words").get_by_role("button", name="sat").click()
    assert text_of(page) == "The [MASK] [MASK] on the floor."
    undo.click()
    undo.click()
    assert text_of(page) == CAT
    expect(undo).to_be_disabled()


def test_masks_are_filled_jointly(visits: Visits, open_server: RunningServer) -> None:
    """Sentences whose words fit each other; one click fills all masks."""
    page = visits.open(question={"text": PRESIDENT})
    page.get_by_label("Jointly", exact=True).check()
    fillings = page.get_by_label("Fillings of all masks").get_by_role("button")
    expect(fillings.first).to_contain_text("united states")
    answer = ask(open_server, inputs=PRESIDENT, decode="joint", top_k=5)
    assert words(page) == [
        *(each["sequence"] for each in answer["sequences"]),
        answer["independent"]["sequence"],
    ]
    expect(page.get_by_label("Score your own words")).to_be_disabled()
    fillings.first.click()
    assert text_of(page) == "He is the president of the united states."


def test_own_words_are_scored(visits: Visits) -> None:
    """Each as what it is: an entry, pieces, or nothing that the vocabulary can write."""
    page = visits.open(question={"text": "She is a very [MASK] person."})
    page.get_by_label("Score your own words").fill("trustworthy, good, ☃, good")
    rows = page.locator(".candidate")
    expect(rows).to_have_count(3)
    assert words(page) == ["good", "trustworthy", "☃"]
    expect(rows.nth(0)).to_contain_text("rank 2")
    expect(rows.nth(1)).to_contain_text("trust ##worthy · rank 5,")
    expect(rows.nth(2)).to_contain_text("this vocabulary cannot write it")
    expect(rows.nth(2).get_by_role("button")).to_have_count(0)
    expect(page.get_by_label("Candidates", exact=True)).to_be_disabled()


def test_number_of_candidates_is_chosen(visits: Visits) -> None:
    """As many as were asked for."""
    page = visits.open()
    page.get_by_label("Candidates", exact=True).select_option("10")
    expect(page.locator(".candidate")).to_have_count(10)


def test_two_presets_stand_side_by_side(visits: Visits) -> None:
    """Both are of one mind where they are one model, and one may be taken away again."""
    page = visits.open()
    page.get_by_label("Compare with").select_option("twin")
    columns = page.locator(".answer:visible")
    expect(columns).to_have_count(2)
    expect(columns.nth(1).locator(".candidate")).to_have_count(5)
    expect(columns.nth(1).get_by_role("heading", level=2)).to_have_text("twin")
    assert words(columns.nth(0)) == words(columns.nth(1))
    left, right = (columns.nth(index).bounding_box() for index in (0, 1))
    assert left
    assert right
    assert left["x"] + left["width"] <= right["x"]
    page.get_by_label("Compare with").select_option("nothing")
    expect(columns).to_have_count(1)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("😀 It is play[MASK].", "😀 It is play"),
        ("😀😀 The [MASK] is here.", "😀😀 The "),
        ("Ça [MASK] 日本.", "Ça"),
    ],
)
def test_places_are_counted_as_the_server_counts(visits: Visits, text: str, filled: str) -> None:
    """In code points, where JavaScript counts otherwise."""
    page = visits.open(question={"text": text, "decode": "joint"})
    assert words(page)[0].startswith(filled)
    shown = page.locator(".candidate.whole").first
    sequence = shown.locator(".word").text_content()
    shown.click()
    assert text_of(page) == sequence


def test_example_is_tried(visits: Visits) -> None:
    """With how it is filled."""
    page = visits.open()
    page.get_by_role("button", name="Two, jointly").click()
    expect(page.get_by_label("Fillings of all masks")).to_contain_text("united states")
    page.get_by_role("button", name="One mask").click()
    expect(page.get_by_label("Candidates for mask 1")).to_contain_text("paris")

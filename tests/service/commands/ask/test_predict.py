"""`fillmask predict`: the server's answer in a pipe, a table in a terminal."""

import json
from typing import Any

import httpx
import pytest

from fakes import FakeStore
from model_store.loading.load_news import LoadNews
from service.commands.ask.predict import draw_masks


async def test_answer_in_a_pipe_is_the_servers(invoke: Any, client: httpx.AsyncClient) -> None:
    """Byte for byte."""
    body = {"inputs": ["the [MASK] sat.", "[MASK] [MASK]"], "top_k": 2}
    served = await client.post("/fill-mask", json=body)
    told = invoke("predict", "--top-k", "2", *body["inputs"])  # type: ignore[misc]
    assert told.stdout == f"{served.text}\n"


def test_words_are_scored(invoke: Any) -> None:
    """Each that is named."""
    told = invoke("predict", "[MASK]", "--targets", "cat", "--targets", "dog")
    [mask] = json.loads(told.stdout)["results"][0]["masks"]
    assert {each["target"] for each in mask["predictions"]} == {"cat", "dog"}


def test_preset_is_the_one_that_is_named(invoke: Any, store: FakeStore) -> None:
    """Else the default one of the settings."""
    assert json.loads(invoke("predict", "[MASK]", "--preset", "other").stdout)["preset"] == "other"
    assert json.loads(invoke("predict", "[MASK]").stdout)["preset"] == "tiny"
    assert store.loads == ["other", "tiny"]


def test_texts_come_from_the_standard_input(invoke: Any) -> None:
    """A text a line, however they end; empty ones are none."""
    told = invoke("predict", "-", "of [MASK]", given="the [MASK]\r\n\nis [MASK]")
    results = json.loads(told.stdout)["results"]
    told_of = [result["masks"][0]["predictions"][0]["sequence"] for result in results]
    assert told_of == ["the paris", "is paris", "of paris"]


@pytest.mark.parametrize(
    ("words", "given", "sentence"),
    [
        (["no mask"], "", "[MASK]"),
        (["-"], "", "The standard input has no text; write one a line."),
        (["-"], b"\xff [MASK]", "A text is not in UTF-8; convert it, or write it anew."),
        (["\udcff [MASK]"], "", "A text is not in UTF-8; convert it, or write it anew."),
        (["[MASK]", "--targets", "\udcff"], "", "A text is not in UTF-8;"),
        (["[MASK]", "--preset", "none"], "", "There is no preset of that name"),
        (
            ["[MASK]"] * 300,
            "",
            "The request asks for 300 inputs and the limit is 256; ask for less.",
        ),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(
    invoke: Any, words: list[str], given: str | bytes, sentence: str
) -> None:
    """Without a traceback, on the standard error."""
    told = invoke("predict", *words, given=given)
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith("Error: ")
    assert told.stderr.count("\n") == 1
    assert sentence in told.stderr


def test_trouble_of_a_load_is_told_beside_the_answer(invoke: Any, store: FakeStore) -> None:
    """What takes long is for terminals only."""
    store.news["tiny"] = [
        LoadNews("converting", "tiny is converted"),
        LoadNews("engine_unavailable", "tiny runs on tensorflow, which is slower."),
    ]
    told = invoke("predict", "[MASK]")
    assert told.stderr == "tiny runs on tensorflow, which is slower.\n"
    assert told.exit_code == 0


def test_people_get_a_table(invoke: Any, see: Any) -> None:
    """With bars; square brackets of a text are no colours."""
    told = json.loads(invoke("predict", "[MASK] [b]x[/b]", "--top-k", "1").stdout)
    title, row, *_ = see(told, draw_masks)
    assert title.split() == ["score", "word", "text"]
    assert row.split()[0].replace(".", "").isdigit()
    assert "paris [b]x[/b]" in row
    assert "█" in row


def test_table_says_what_cannot_be_written(see: Any) -> None:
    """Of a target that the vocabulary lacks."""
    unknown = {"target": "好", "score": None, "sequence": None}
    _, row = see({"results": [{"masks": [{"predictions": [unknown]}]}]}, draw_masks)
    assert row.split(maxsplit=2) == ["unknown", "好", "This vocabulary cannot write it."]

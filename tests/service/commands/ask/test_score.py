"""`fillmask score`: the server's answer in a pipe, a ranking in a terminal."""

import json
from typing import Any

import httpx
import pytest

from service.commands.ask.score import draw_ranks


@pytest.mark.parametrize("method", ["pll", "pll_word_l2r"])
async def test_answer_in_a_pipe_is_the_servers(
    invoke: Any, client: httpx.AsyncClient, method: str
) -> None:
    """Byte for byte."""
    inputs = ["The  cats", "the cat sat."]
    served = await client.post("/score", json={"inputs": inputs, "method": method})
    assert invoke("score", "--method", method, *inputs).stdout == f"{served.text}\n"


def test_people_get_the_likeliest_first(invoke: Any, see: Any) -> None:
    """A row a text."""
    told = json.loads(invoke("score", "the cat sat.", "cat").stdout)
    title, *rows = see(told, draw_ranks)
    assert title.split() == ["rank", "total", "mean", "perplexity", "text"]
    assert [row.split()[0] for row in rows] == ["1", "2"]
    assert [row.split()[-1] for row in rows] == ["cat", "sat."]

"""Hugging Face's own client, unmodified, against a real server."""

from typing import Any

import pytest
from huggingface_hub import FillMaskOutputElement, InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from e2e.running_server import PATIENCE_S, RunningServer
from golden.golden_files import TARGETS, read_golden

PRESETS = {"uncased": "minilm_l6_en_uncased", "cased": "tiny_cased"}


def connect(server: RunningServer, preset: str) -> InferenceClient:
    """Return a client of one preset."""
    return InferenceClient(model=f"{server.url}/models/{preset}", timeout=PATIENCE_S)


def condense(answer: Any) -> list[list[tuple[int, str, str]]]:
    """Return one list a mask, without scores."""
    masks = [answer] if isinstance(answer[0], FillMaskOutputElement) else answer
    return [[(p.token, p.token_str, p.sequence) for p in mask] for mask in masks]


def scores(answer: Any) -> list[float]:
    """Return the scores of all masks in one list."""
    masks = [answer] if isinstance(answer[0], FillMaskOutputElement) else answer
    return [p.score for mask in masks for p in mask]


every = pytest.mark.parametrize(
    "step", [pytest.param(1, marks=pytest.mark.slow, id="all"), pytest.param(11, id="some")]
)
"""Which golden sentences are asked: the library's own tests look at all of them every time."""


@every
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_answers_equal_those_of_transformers(server: RunningServer, name: str, step: int) -> None:
    """On golden sentences, whatever their number of masks."""
    client = connect(server, PRESETS[name])
    for line in read_golden(name)[::step]:
        answer = client.fill_mask(line["inputs"])
        assert condense(answer) == [[tuple(p[1:]) for p in mask] for mask in line["masks"]]
        expected = [p[0] for mask in line["masks"] for p in mask]
        assert scores(answer) == pytest.approx(expected, abs=1e-4)


@every
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_targets_are_answered_as_by_transformers(
    server: RunningServer, name: str, step: int
) -> None:
    """On golden sentences, likewise."""
    client = connect(server, PRESETS[name])
    for line in read_golden(name)[::step]:
        answer = client.fill_mask(line["inputs"], targets=TARGETS)
        assert condense(answer) == [[tuple(p[1:]) for p in mask] for mask in line["targets"]]


def test_top_k_is_honoured(server: RunningServer) -> None:
    """As many predictions as asked for."""
    client = connect(server, PRESETS["uncased"])
    assert len(client.fill_mask("Paris is the [MASK] of France.", top_k=7)) == 7


def test_an_unknown_model_is_told(server: RunningServer) -> None:
    """The client shows the server's sentence."""
    with pytest.raises(HfHubHTTPError, match="no preset of that name") as caught:
        connect(server, "nobody/nothing").fill_mask("A [MASK].")
    assert caught.value.response.status_code == 404


def test_a_text_without_a_mask_is_told(server: RunningServer) -> None:
    """The client shows the server's sentence."""
    with pytest.raises(HfHubHTTPError, match=r"no \[MASK\]") as caught:
        connect(server, PRESETS["uncased"]).fill_mask("No mask.")
    assert caught.value.response.status_code == 422

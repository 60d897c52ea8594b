"""Masked marginals of substitutions, as docs/proteins.md has them, equal Transformers'."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from e2e.running_server import PATIENCE_S
from protein_cases import ACIDS, GOLDEN, PROTEIN, write_protein_dir
from service.app import create_app
from service.settings import Settings
from tiny_checkpoints import forge_proof

GOLDEN_CASES: dict[str, Any] = json.loads(GOLDEN.read_text("utf-8"))
CASES = ("rotary-dropout", "absolute-plain")
"""What is asked over HTTP: each difference once."""

Scores = dict[str, Any]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models, as presets."""
    directory = tmp_path_factory.mktemp("proteins")
    for name in CASES:
        forge_proof(write_protein_dir(directory / name, GOLDEN_CASES[name]))
    return directory


@pytest.fixture(scope="module")
def answers(store: Path) -> dict[str, Scores]:
    """What a server says of each model, by either route."""
    return asyncio.run(ask_all(store))


async def ask_all(store: Path) -> dict[str, Scores]:
    """Start a server in this process, with an engine that needs no conversion, and ask."""
    settings = Settings(
        model_store_dir=store,
        offline=True,
        preload=False,
        engine="tensorflow",
        precision="float32",
        cache_dir=store / "cache",
        request_timeout_s=PATIENCE_S,
    )
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://fillmask", timeout=PATIENCE_S
        ) as client,
    ):
        return {
            name: {"/fill-mask": await fill(client, name), "/score": await score(client, name)}
            for name in CASES
        }


async def fill(client: httpx.AsyncClient, preset: str) -> Any:
    """Return the log-probability of each amino acid at each residue: one text a residue."""
    texts = [f"{PROTEIN[:i]}[MASK]{PROTEIN[i + 1 :]}" for i in range(len(PROTEIN))]
    body = {"inputs": texts, "targets": list(ACIDS), "preset": preset}
    response = await client.post("/fill-mask", json=body)
    assert response.status_code == 200, response.text
    named = [
        {each["target"]: each["log_prob"] for each in result["masks"][0]["predictions"]}
        for result in response.json()["results"]
    ]
    return np.array([[residue[acid] for acid in ACIDS] for residue in named])


async def score(client: httpx.AsyncClient, preset: str) -> Any:
    """Return the same of whole proteins: the token of the residue that is substituted."""
    rows = []
    for index in range(len(PROTEIN)):
        template = f"{PROTEIN[:index]}{{}}{PROTEIN[index + 1 :]}"
        body = {"template": template, "candidates": list(ACIDS), "method": "pll", "preset": preset}
        response = await client.post("/score", json=body)
        assert response.status_code == 200, response.text
        results = response.json()["results"]
        assert [result["tokens"][index]["token_str"] for result in results] == list(ACIDS)
        rows.append([result["tokens"][index]["log_prob"] for result in results])
    return np.array(rows)


@pytest.mark.parametrize("route", ["/fill-mask", "/score"])
@pytest.mark.parametrize("name", CASES)
def test_every_single_substitution_is_worth_what_transformers_says(
    answers: dict[str, Scores], name: str, route: str
) -> None:
    """The difference of log p(mutant) and log p(wild type), where the residue is masked."""
    log_probs = answers[name][route]
    wild = [[log_probs[i, ACIDS.index(residue)]] for i, residue in enumerate(PROTEIN)]
    np.testing.assert_allclose(log_probs - wild, GOLDEN_CASES[name]["scores"], rtol=0, atol=1e-3)


def test_cases_tell_wrong_answers_apart() -> None:
    """Scores differ between models by far more than the tolerance: dropout and positions count."""
    scores = [np.array(case["scores"]) for case in GOLDEN_CASES.values()]
    for index, one in enumerate(scores):
        for other in scores[:index]:
            assert np.abs(one - other).max() > 0.1

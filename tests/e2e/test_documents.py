"""What the documents show is done against a real server, and gives what they show."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contract.documents import DOCUMENTS, ROOT, code_blocks
from e2e.running_server import RunningServer
from fake_hub import FakeHub
from hub_fixtures import make_keras_files, make_original_files
from keys import ADMIN_KEY

SHOWN_URL = "http://127.0.0.1:8000"
BLOCKS = [(path, block) for path in DOCUMENTS for block in code_blocks(path, "sh")]
PULLED = {
    "bert_base_en_uncased": "bert_base_en_uncased",
    "bert_base_zh": "bert_base_zh",
    "hf://google-bert/bert-base-german-cased": "google-bert--bert-base-german-cased",
}
GUIDE = "docs/fine-tuning.md"
"""It asks for the preset that it trains: `test_fine_tuning.py` goes its whole way."""

SCORES = re.compile(
    "|".join(
        rf'(?<="{name}": )-?\d[^,}}]*'
        for name in (
            *("score", "log_prob", "mean_log_prob", "marginal", "conditional"),
            *("entropy", "removed_probability", "total", "mean", "pseudo_perplexity"),
            "value",
        )
    )
)
RANKS = re.compile(r'(?<="rank": )\d+')
"""Far down the vocabulary a hundredth of a nat is dozens of ranks."""

_PATIENCE_S = 60


@pytest.mark.parametrize(
    ("path", "block"),
    [shown for shown in BLOCKS if "curl " in shown[1] and shown[0] != GUIDE],
    ids=str.split,
)
def test_request_is_answered_as_shown(server: RunningServer, path: str, block: str) -> None:
    """By the words; the last digits of scores differ between processors."""
    said = run(block.replace(SHOWN_URL, server.url), {"ADMIN_KEY": ADMIN_KEY})
    answer = json.loads(said)
    shown = find_answer(path, block)
    if shown is None:
        assert answer["name"], "an answer that no document shows is that of a preset"
        assert answer["state"] == "ready"
    else:
        assert drop_scores(answer) == drop_scores(shown)
        assert read_scores(answer) == pytest.approx(read_scores(shown), rel=0.01, abs=0.02)


def test_client_prints_what_the_readme_shows(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hugging Face's client, as it stands there."""
    (example,) = code_blocks("README.md", "python")
    exec(compile(example.replace(SHOWN_URL, server.url), "README.md", "exec"), {})  # noqa: S102
    (shown,) = code_blocks("README.md", "text")
    said = capsys.readouterr().out
    assert re.sub(r"\d\.\d+", "", said) == re.sub(r"\d\.\d+", "", shown)
    assert [*map(float, re.findall(r"\d\.\d+", said))] == pytest.approx(
        [*map(float, re.findall(r"\d\.\d+", shown))], abs=0.02
    )


def test_presets_are_listed_and_pulled_as_shown(hub: FakeHub, tmp_path: Path) -> None:
    """Every line of the block, from hubs that are not those of the world."""
    (block,) = [block for _, block in BLOCKS if "fillmask presets pull" in block]
    for name in ("bert_base_en_uncased", "bert_base_zh"):
        hub.models[f"keras/bert/keras/{name}"] = make_keras_files(2)
    hub.repositories["google-bert/bert-base-german-cased"] = make_original_files(2)
    store = {"FILLMASK_MODEL_STORE_DIR": str(tmp_path / "store")}
    said = run(block, hub.environment(tmp_path / "home") | store)
    assert "bert_base_en_uncased         to pull" in said
    assert said.splitlines()[-3:] == [
        f"{handle}: {tmp_path / 'store' / name}" for handle, name in PULLED.items()
    ]


def run(block: str, environment: Mapping[str, str]) -> str:
    """Run a block as somebody who pastes it, with the commands of this environment first."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FILLMASK_")}
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    careful = f'set -euo pipefail\ncurl() {{ command curl --fail-with-body "$@"; }}\n{block}'
    done = subprocess.run(  # noqa: S603  # what our own documents show
        ["bash", "-c", careful],  # noqa: S607  # whichever there is
        env=inherited | {"PATH": programs, "no_proxy": "127.0.0.1"} | environment,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def find_answer(path: str, block: str) -> Any:
    """Return the JSON that a document shows right below a block, or None."""
    text = (ROOT / path).read_text("utf-8")
    below = text.partition(f"```sh\n{block}```")[2]
    found = re.match(r"\n\n```json\n(.*?)^```$", below, re.DOTALL | re.MULTILINE)
    # Long lines are broken for reading: a break within a text stands for a space.
    return json.loads(re.sub(r"(?<=\w)\n(?=\w)", " ", found[1])) if found else None


def drop_scores(answer: Any) -> Any:
    """Return an answer without what differs between processors."""
    return json.loads(RANKS.sub("0", SCORES.sub("0", json.dumps(answer))))


def read_scores(answer: Any) -> list[float]:
    """Return the scores of an answer, in order."""
    return [*map(float, SCORES.findall(json.dumps(answer)))]

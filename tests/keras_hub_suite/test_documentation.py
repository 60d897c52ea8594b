"""Every block of Keras' documentation runs as it stands, but for the import."""

from pathlib import Path
from typing import Any

import pytest

from contract.documents import code_blocks
from keras_hub_suite.documentation import PRELUDE, PRESETS, Block, list_blocks
from model_store.store import ModelStore
from tiny_checkpoints import TinyConfig, write_transformers_dir

pytestmark = [pytest.mark.keras_hub, pytest.mark.filterwarnings("default")]
BLOCKS = list(list_blocks())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home directory in whose model store the documented presets lie, small."""
    home = tmp_path_factory.mktemp("home")
    embedded = ModelStore().find("minilm_l6_en_uncased").directory
    assert embedded is not None
    vocabulary = (embedded / "vocab.txt").read_text("utf-8").split("\n")[:-1]
    config = TinyConfig(num_layers=1, hidden_dim=8, intermediate_dim=8)
    for name in PRESETS:
        directory = home / ".cache" / "fillmask" / "presets" / name
        write_transformers_dir(directory, vocabulary=vocabulary, config=config, lowercase=True)
    return home


def test_there_are_blocks() -> None:
    """Else this suite would say nothing."""
    assert len(BLOCKS) == 8
    assert not any("keras_hub" in block.code for block in BLOCKS)


@pytest.mark.parametrize("document", ["docs/training.md", "docs/fine-tuning.md"])
def test_our_own_documents_run(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every block of Python of a page, one after the other, as a reader would run them."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = code_blocks(document, "python")
    assert blocks
    for block in blocks:
        exec(compile(block, document, "exec"), names)  # noqa: S102  # our own documents


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.of}: {block.title}")
def test_block_runs(block: Block, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the names that it takes for granted, and the preset that it names in the store."""
    monkeypatch.setenv("HOME", str(home))
    code = f"import fillmask\n{PRELUDE}\n{block.code}"
    exec(compile(code, f"{block.of}.py", "exec"), {})  # noqa: S102  # the documentation's own

"""The server's program, and presets for it beside its own."""

from pathlib import Path
from shutil import copytree

ROOT = Path(__file__).parents[3]
SERVER = ROOT / ".venv-test" / "bin" / "fillmask"
EMBEDDED = ROOT / "model_store" / "presets" / "minilm_l6_en_uncased"


def write_presets(folder: Path) -> Path:
    """Write two: `twin` loads at once, and `slow` must be converted first, which takes seconds."""
    copytree(EMBEDDED, folder / "twin")  # its bytes are known, and so is what they convert to
    slow = copytree(EMBEDDED, folder / "slow")
    with (slow / "config.json").open("a") as file:
        file.write("\n")
    return folder

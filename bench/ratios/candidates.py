"""The servers that ratios compare."""

import sys
from dataclasses import replace
from pathlib import Path

from bench.servers import FILLMASK, PEERS, Server

ROOT = Path(__file__).parent.parent.parent
PIPELINE = replace(PEERS[0], reader="pipeline")


def make_fillmask(precision: str, root: Path = ROOT) -> Server:
    """Return the server of a checkout, in a precision, run by that checkout's environment."""
    own = root / ".venv-test" / "bin" / "python"
    owner = "fillmask" if root == ROOT else root.name
    return replace(
        FILLMASK,
        name=f"{owner} {precision}",
        program=own if own.exists() else Path(sys.executable),
        root=root,
        settings=(("FILLMASK_PRECISION", precision), ("FILLMASK_LOG_LEVEL", "warning")),
        reader="native",
    )

"""What docs/open-inference.md shows of Triton's client is what it does."""

import subprocess
import sys
from pathlib import Path

from clients.callers import MARKS
from clients.conftest import SERVER
from contract.documents import code_blocks
from e2e.running_server import start_server

PAGE = "docs/open-inference.md"
pytestmark = MARKS
_PATIENCE_S = 60


def test_tritons_client_prints_what_is_shown(tmp_path: Path) -> None:
    """The page's block as a script."""
    (script,) = code_blocks(PAGE, "python")
    (shown,) = code_blocks(PAGE, "text")
    with start_server({"FILLMASK_OFFLINE": "1"}, tmp_path, SERVER) as server:
        here = script.replace("127.0.0.1:8000", server.url.removeprefix("http://"))
        ran = subprocess.run(  # noqa: S603  # what our own document shows
            [sys.executable, "-c", here],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=True,
        )
    assert ran.stdout == shown

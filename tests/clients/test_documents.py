"""What docs/open-inference.md shows of Triton's clients is what they do."""

import subprocess
import sys
from pathlib import Path

import pytest

from clients.callers import MARKS
from clients.conftest import SERVER
from contract.documents import code_blocks
from e2e.running_server import find_free_port, start_server

PAGE = "docs/open-inference.md"
SHOWN = list(zip(code_blocks(PAGE, "python"), code_blocks(PAGE, "text"), strict=True))
pytestmark = MARKS
_PATIENCE_S = 60


@pytest.mark.parametrize(("script", "printed"), SHOWN, ids=["http", "grpc"])
def test_tritons_client_prints_what_is_shown(tmp_path: Path, script: str, printed: str) -> None:
    """Each block of the page as a script."""
    grpc_port = find_free_port()
    env = {"FILLMASK_OFFLINE": "1", "FILLMASK_GRPC_PORT": str(grpc_port)}
    with start_server(env, tmp_path, SERVER) as server:
        here = script.replace("127.0.0.1:8000", server.url.removeprefix("http://"))
        here = here.replace("127.0.0.1:8001", f"127.0.0.1:{grpc_port}")
        ran = subprocess.run(  # noqa: S603  # what our own document shows
            [sys.executable, "-c", here],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == printed

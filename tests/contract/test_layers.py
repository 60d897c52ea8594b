"""The arrows between modules go one way."""

import subprocess
import sys
from pathlib import Path

from contract.documents import ROOT


def test_every_contract_is_kept() -> None:
    """Import-linter finds no import against the contracts in pyproject.toml."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    linted = subprocess.run(  # noqa: S603  # our own command
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr

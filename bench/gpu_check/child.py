"""Parts of a check in processes of their own: a library that is loaded keeps its card."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]


class ChildError(Exception):
    """A process ended without an answer; the message has its last words."""


def run_child(module: str, *arguments: str, **environment: str) -> Any:
    """Run a module, and return the JSON of the last line that it prints.

    Raises:
        ChildError: it ended otherwise.
    """
    result = subprocess.run(  # nosec B603  # our own programs
        [sys.executable, "-m", module, *arguments],
        cwd=_ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or [f"it ended with {result.returncode}"]
        raise ChildError(lines[-1][-300:])
    return json.loads(result.stdout.strip().splitlines()[-1])

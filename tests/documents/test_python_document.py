"""What docs/python.md shows is run, and prints what is shown."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contract.documents import code_blocks

DOCUMENT = "docs/python.md"
_NUMBER = r"-?\d+\.\d+(?:e-?\d+)?"
_PRECISION = "bfloat16|float32|float16"
_IMPORTED = """
import sys
print([name for name in ("keras", "tensorflow") if name in sys.modules])
"""
"""What the conversion needs, in a process of its own, and nothing else does."""

_PATIENCE_S = 300


def test_python_document_is_a_script_that_runs(tmp_path: Path) -> None:
    """All its blocks, one after the other, as a file without a `__main__` guard; nothing cached."""
    script = tmp_path / "script.py"
    script.write_text("\n".join([*code_blocks(DOCUMENT, "python"), _IMPORTED]), "utf-8")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FILLMASK_")}
    ran = subprocess.run(  # noqa: S603  # what our own document shows
        [sys.executable, str(script)],
        env=inherited | {"HOME": str(tmp_path), "PYTHONUTF8": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    shown = "".join(code_blocks(DOCUMENT, "text"))
    assert blank(ran.stdout) == blank(f"{shown}[]\n")
    # The last digits of a score differ between processors.
    numbers = [*map(float, re.findall(_NUMBER, ran.stdout))]
    assert numbers == pytest.approx([*map(float, re.findall(_NUMBER, shown))], abs=0.02, rel=0.05)
    assert (tmp_path / ".cache" / "fillmask" / "converted").is_dir()


def blank(text: str) -> str:
    """Return a text without what differs between machines."""
    return re.sub(f"{_NUMBER}|{_PRECISION}", "_", text)

"""The audit of the lock file says what it found, and what it could not look up."""

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest

from contract.documents import ROOT

SPEC = spec_from_file_location("audit", ROOT / "requirements" / "audit.py")
assert SPEC
assert SPEC.loader
audit = module_from_spec(SPEC)
SPEC.loader.exec_module(audit)

GOOD = {"name": "good", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2", "3"]}]}
OPEN = {"name": "open", "version": "1", "vulns": [{"id": "CVE-2", "fix_versions": []}]}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI"}


def test_packages_are_counted() -> None:
    """Nothing found is said too."""
    assert audit.describe([GOOD, GOOD]) == ["2 of 2 packages were audited, 0 findings."]


def test_packages_without_advisories_are_counted_apart() -> None:
    """An audit that looked nothing up must not look like a clean one."""
    (line,) = audit.describe([GOOD, UNKNOWN])
    assert line.startswith("1 of 2 packages were audited, 0 findings. 1 could not be")


def test_findings_are_listed_with_their_cure() -> None:
    """Each names the package, the advisory and the version to raise it to."""
    *lines, count = audit.describe([BAD, OPEN])
    assert lines == [
        "bad 1 has CVE-1; raise it to 2 or 3.",
        "open 1 has CVE-2; raise it to no version yet.",
    ]
    assert count == "2 of 2 packages were audited, 2 findings."


@pytest.mark.parametrize(
    ("packages", "pip_audit", "status"), [([GOOD, UNKNOWN], 0, 0), ([BAD], 1, 1), (None, 0, 1)]
)
def test_status_is_that_of_the_audit(
    monkeypatch: pytest.MonkeyPatch, packages: Any, pip_audit: int, status: int
) -> None:
    """A finding fails, and so does an audit that gave no report; a missing advisory does not."""
    report = "" if packages is None else json.dumps({"dependencies": packages})

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[:3] == [sys.executable, "-m", "pip_audit"]
        return subprocess.CompletedProcess(command, pip_audit, report)

    monkeypatch.setattr(subprocess, "run", run)
    assert audit.main("run.txt") == status

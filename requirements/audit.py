"""Looks every package of a lock file up among the known vulnerabilities.

    python requirements/audit.py requirements/run.txt

`pip-audit` ends well where its source knows none of the packages, as a mere mirror of the registry
does. So this also says how many were looked up, and how many could not be.
"""

import json
import subprocess
import sys
from typing import Any

_OPTIONS = ("--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json")


def main(lock: str) -> int:
    """Audit a lock file and return the exit status: 0 where nothing was found."""
    command = [sys.executable, "-m", "pip_audit", *_OPTIONS, "--requirement", lock]
    audit = subprocess.run(  # noqa: S603  # a module of this environment, nothing from outside
        command, stdout=subprocess.PIPE, text=True, check=False
    )
    if audit.stdout:
        print("\n".join(describe(json.loads(audit.stdout)["dependencies"])))
    else:
        print("pip-audit gave no report; see above, and run it again.", file=sys.stderr)
    return audit.returncode or not audit.stdout


def describe(packages: list[dict[str, Any]]) -> list[str]:
    """Return a line for each vulnerability, and one that counts the packages."""
    audited = [package for package in packages if "skip_reason" not in package]
    lines = [
        f"{package['name']} {package['version']} has {vulnerability['id']}; "
        f"raise it to {' or '.join(vulnerability['fix_versions']) or 'no version yet'}."
        for package in audited
        for vulnerability in package["vulns"]
    ]
    count = f"{len(audited)} of {len(packages)} packages were audited, {len(lines)} findings."
    if len(audited) < len(packages):
        count += f" {len(packages) - len(audited)} could not be: no advisories for them were found."
    return [*lines, count]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

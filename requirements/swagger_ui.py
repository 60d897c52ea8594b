"""Fetches the files of Swagger UI that `/docs` consists of, by npm, and checks what came.

    python requirements/swagger_ui.py

For another version, change both constants: `npm view swagger-ui-dist@VERSION dist.integrity`.
"""

import base64
import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

VERSION = "5.35.0"
INTEGRITY = "sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ=="  # noqa: E501

FOLDER = Path(__file__).parents[1] / "service/routes/operations/documentation/swagger_ui"
FILES = (
    "LICENSE",
    "NOTICE",
    "swagger-ui-bundle.js",
    "swagger-ui-bundle.js.LICENSE.txt",
    "swagger-ui.css",
)


def main() -> None:
    """Write the files anew.

    Raises:
        SystemExit: what npm fetched is not what is pinned.
    """
    with TemporaryDirectory() as directory:
        command = [
            "npm",
            "pack",
            "--silent",
            f"swagger-ui-dist@{VERSION}",
            "--pack-destination",
            directory,
        ]
        subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603  # whichever npm is here
        (archive,) = Path(directory).iterdir()
        if (found := digest(archive.read_bytes())) != INTEGRITY:
            sys.exit(
                f"npm fetched {found} as {VERSION}, and {INTEGRITY} is pinned; see who is right."
            )
        unpack(archive)


def digest(content: bytes) -> str:
    """Return what npm calls the integrity of a file."""
    return f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"


def unpack(archive: Path) -> None:
    """Write the files of an archive that browsers need, without what asks for a map of them."""
    with tarfile.open(archive) as files:
        for member in files:
            name = member.name.removeprefix("package/")
            if name in FILES and (file := files.extractfile(member)):
                (FOLDER / name).write_bytes(without_map(file.read()))


def without_map(content: bytes) -> bytes:
    """Leave the last line out where it names a source map: nobody has that file here."""
    lines = content.splitlines(keepends=True)
    return b"".join(lines[:-1] if b"sourceMappingURL=" in lines[-1] else lines)


if __name__ == "__main__":
    main()

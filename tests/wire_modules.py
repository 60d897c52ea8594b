"""The messages of gRPC as Python, which `make proto` writes and a test checks."""

import subprocess
import sys
from pathlib import Path

ROOM = Path(__file__).parents[1] / "service" / "routes" / "grpc" / "wire"


def write_modules(room: Path) -> None:
    """Write the modules of every `.proto` file into a directory."""
    protos = sorted(str(path) for path in ROOM.glob("*.proto"))
    # In a process of its own: beside TensorFlow's copy of the same library it crashes.
    protoc = [sys.executable, "-m", "grpc_tools.protoc"]
    subprocess.run([*protoc, f"-I{ROOM}", f"--python_out={room}", *protos], check=True)  # noqa: S603
    for path in room.glob("*_pb2.py"):
        # protoc knows no packages.
        code = path.read_text("utf-8").replace("\nimport model_", "\nfrom . import model_")
        path.write_text(code, "utf-8")


if __name__ == "__main__":
    write_modules(ROOM)

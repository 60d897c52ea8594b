"""The messages of gRPC as Python, which `make proto` writes and a test checks."""

from pathlib import Path

from grpc_tools import protoc

ROOM = Path(__file__).parents[1] / "service" / "routes" / "grpc" / "wire"


def write_modules(room: Path) -> None:
    """Write the modules of every `.proto` file into a directory."""
    protos = sorted(str(path) for path in ROOM.glob("*.proto"))
    assert protoc.main(["protoc", f"-I{ROOM}", f"--python_out={room}", *protos]) == 0
    for path in room.glob("*_pb2.py"):
        # protoc knows no packages.
        code = path.read_text("utf-8").replace("\nimport model_", "\nfrom . import model_")
        path.write_text(code, "utf-8")


if __name__ == "__main__":
    write_modules(ROOM)

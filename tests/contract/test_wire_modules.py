"""The messages of gRPC are those of their `.proto` files."""

from pathlib import Path

from wire_modules import ROOM, write_modules


def test_modules_are_what_protoc_makes(tmp_path: Path) -> None:
    """Byte by byte: `make proto` writes them anew."""
    write_modules(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in ROOM.glob("*_pb2.py")}
    assert set(made) == {"grpc_service_pb2.py", "model_config_pb2.py"}

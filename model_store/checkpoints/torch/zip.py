"""PyTorch's files since 1.6: a zip archive of one pickle, and one raw file a storage."""

import io
import zipfile
from pathlib import Path
from typing import Any

from model_store.checkpoints.torch.leash import read_pickle

MAGIC = b"PK\x03\x04"


def read_torch_zip(path: Path) -> tuple[Any, dict[str, bytes]]:
    """Return what the pickle holds, and the bytes of every storage by its key.

    Raises:
        Exception: the file is broken, or its pickle wants more than tensors.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            message = "it is compressed, which PyTorch's own never are"
            raise zipfile.BadZipFile(message)
        if sum(entry.file_size for entry in entries) > path.stat().st_size:
            message = "its parts are larger than the whole"
            raise zipfile.BadZipFile(message)
        pickles = [entry.filename for entry in entries if entry.filename.endswith("/data.pkl")]
        if len(pickles) != 1:
            message = "it holds no single data.pkl"
            raise zipfile.BadZipFile(message)
        root = pickles[0].removesuffix("data.pkl")
        content, storages = read_pickle(io.BytesIO(archive.read(pickles[0])))
        return content, {key: archive.read(f"{root}data/{key}") for key in storages}

"""A directory that is there whole or not at all."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_directory(directory: Path) -> Iterator[Path]:
    """Give a directory to write into, which becomes `directory` where nothing goes wrong.

    It lies beside `directory`, on the same disk, so that the last step is a rename: nobody ever
    reads half of it.

    Raises:
        FileExistsError: there is something of that name.
    """
    if directory.exists():
        message = f"{directory} exists; choose a name that is free."
        raise FileExistsError(message)
    # A name of its own, made by mkdir: what tempfile makes, only its owner could read.
    unfinished = directory.with_name(f".{directory.name}.{secrets.token_hex(8)}")
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        unfinished.rename(directory)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise

"""A directory that is there whole or not at all."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = Path("config.json")
"""The file that makes a directory a preset."""

_OTHER_FORMATS = ("bert_config.json", "model.safetensors", "pytorch_model.bin", "head")
"""What readers would take, or take parts of, before KerasHub's files."""


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


@contextmanager
def fill_directory(directory: Path) -> Iterator[Path]:
    """Give a directory to write a KerasHub preset into, whose files then go to `directory`.

    What is there already stays, but for the files of the same names. Where these make up a preset,
    `config.json` goes first and comes last: a crash leaves no preset, and never half of another.

    Raises:
        FileExistsError: there is a file of that name, or a checkpoint of another format.
    """
    if not directory.exists():
        with new_directory(directory) as unfinished:
            yield unfinished
        return
    if not directory.is_dir() or any((directory / name).exists() for name in _OTHER_FORMATS):
        message = f"{directory} exists and is no KerasHub preset; choose a name that is free."
        raise FileExistsError(message)
    unfinished = directory / f".unfinished.{secrets.token_hex(8)}"
    unfinished.mkdir()
    try:
        yield unfinished
        _move_files(unfinished, directory)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _move_files(source: Path, target: Path) -> None:
    paths = [path.relative_to(source) for path in source.rglob("*") if path.is_file()]
    if _MARK in paths:
        (target / _MARK).unlink(missing_ok=True)
    for path in sorted(paths, key=lambda path: path == _MARK):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).replace(target / path)

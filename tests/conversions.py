"""Conversions that are made of others: a real one takes seconds."""

import shutil
from collections.abc import Callable
from pathlib import Path


def copy_from(conversion: Path) -> Callable[[Path, Path], None]:
    """Return what stands in for a conversion of the same weights, and yields the same."""

    def convert(_: Path, target: Path) -> None:
        shutil.copytree(
            conversion,
            target,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("compiled", "tuning.json", "seal.json"),
        )

    return convert

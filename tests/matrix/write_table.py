"""Write the table of `docs/checkpoints.md` anew: `python tests/matrix/write_table.py`."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from matrix.cases import list_cases
from matrix.judge import judge
from matrix.table import DOCUMENT, render, splice


def main() -> None:
    """Judge every case and write what came of it."""
    with TemporaryDirectory() as directory:
        verdicts = {
            case.name: judge(case, Path(directory) / str(number))
            for number, case in enumerate(list_cases())
        }
    document = DOCUMENT.read_text("utf-8")
    DOCUMENT.write_text(splice(document, render(verdicts)), "utf-8")


if __name__ == "__main__":
    main()

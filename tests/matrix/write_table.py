"""Write the tables of `docs/checkpoints.md` and of `docs/families.md` anew.

python tests/matrix/write_table.py
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from matrix import cases, judge, table
from matrix.families import cases as family_cases
from matrix.families import judge as family_judge
from matrix.families import table as family_table


def main() -> None:
    """Judge every case and write what came of it."""
    kinds: Any = ((cases, judge, table), (family_cases, family_judge, family_table))
    for listing, judging, drawing in kinds:
        with TemporaryDirectory() as directory:
            verdicts = {
                case.name: judging.judge(case, Path(directory) / str(number))
                for number, case in enumerate(listing.list_cases())
            }
        document = drawing.DOCUMENT.read_text("utf-8")
        text = table.splice(document, drawing.render(verdicts))
        drawing.DOCUMENT.write_text(text, "utf-8")


if __name__ == "__main__":
    main()

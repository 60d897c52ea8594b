"""`fillmask run`: rows in, a line for each out."""

import json
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
from filelock import FileLock
from pyarrow import parquet

from fakes import FakeEngine, FakeStore
from service.commands.bulk.output import ERROR_START

ROWS = [
    {"inputs": "the [MASK] of france"},
    "the [MASK] sat.",
    {"inputs": ["[MASK]", "a [MASK] [MASK]"], "top_k": 2},
    {"inputs": "[MASK]", "targets": ["cat", "dog"]},
    {"inputs": "no mask"},
    {"inputs": ["[MASK]", " "]},
    {"inputs": "[MASK]", "targets": ["zebra"]},
    {"inputs": "[MASK]", "top_k": 1000},
    {"inputs": "[MASK]", "preset": "tiny"},
    {"inputs": 1},
    {"inputs": "[MASK]", "targets": ["paris london", "cat"]},
    {"inputs": ["the [MASK] [MASK]", "[MASK]"], "decode": "joint", "beam_width": 2},
]


def read(path: str = "out.jsonl") -> list[Any]:
    """Return the lines of a file."""
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def words(answer: dict[str, Any]) -> list[str]:
    """Return the sequences of an answer of one mask."""
    (result,) = answer["results"]
    return [prediction["sequence"] for prediction in result["masks"][0]["predictions"]]


async def test_rows_are_answered_as_lines_over_http(invoke: Any, client: httpx.AsyncClient) -> None:
    """Every kind of request, every error, and the same words."""
    content = "".join(json.dumps(row) + "\n" for row in ROWS) + '\n"not json\n'
    Path("in.jsonl").write_text(content)  # noqa: ASYNC240  # nobody else is on this loop
    assert invoke("in.jsonl").exit_code == 0
    headers = {"content-type": "application/x-ndjson"}
    served = await client.post("/fill-mask", content=content, headers=headers)
    assert read() == [json.loads(line) for line in served.text.splitlines()]
    assert len(read()) == len(ROWS) + 2


def test_text_is_a_row_a_line(invoke: Any) -> None:
    """However its lines end; an empty one is a row that failed."""
    Path("in.txt").write_bytes(b"the [MASK]\r\n\nis [MASK]\nbad \xff [MASK]\n[MASK]")
    result = invoke("in.txt", "--top-k", "1")
    assert result.output == "out.jsonl: 5 rows, 2 of them failed.\n"
    first, empty, second, bad, last = read()
    assert (words(first), words(second), words(last)) == (["the paris"], ["is paris"], ["paris"])
    assert (empty["code"], empty["line"]) == ("empty_text", 2)
    assert (bad["code"], bad["line"]) == ("invalid_request", 4)


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_csv_is_a_row_a_record(invoke: Any, suffix: str) -> None:
    """Quoted as CSV has it; a row may end early."""
    rows = [["id", "text"], ["1", '"a, ""[MASK]""\nb"'], ["2"], ["3", "\ufeffis [MASK]"]]
    delimiter = "\t" if suffix == "tsv" else ","
    content = "".join(delimiter.join(row) + "\n" for row in rows)
    Path(f"in.{suffix}").write_text(content, "utf-8-sig")
    assert invoke(f"in.{suffix}", "--column", "text", "--top-k", "1").exit_code == 0
    first, short, last = read()
    assert words(first) == ['a, "paris"\nb']
    assert (short["code"], short["line"]) == ("empty_text", 2)
    assert words(last) == ["\ufeffis paris"]


def test_one_column_needs_no_name(invoke: Any) -> None:
    """There is no other."""
    Path("in.csv").write_text("text\nthe [MASK]\n")
    assert invoke("in.csv").exit_code == 0
    assert len(read()) == 1


@pytest.mark.parametrize(
    ("content", "arguments", "sentence"),
    [
        ("a,b\n1,2\n", [], "in.csv has the columns a, b; name the one of the texts with --column."),
        ("a,b\n1,2\n", ["--column", "c"], "in.csv has the columns a, b; name the one"),
        ('a\n"x"y\n', [], "in.csv is no CSV at line 2 ("),
    ],
)
def test_csv_that_cannot_be_read_says_why(
    invoke: Any, content: str, arguments: list[str], sentence: str
) -> None:
    """In a sentence."""
    Path("in.csv").write_text(content)
    result = invoke("in.csv", *arguments)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {sentence}")


def test_parquet_is_a_row_a_row(invoke: Any) -> None:
    """Of a column of texts; one that is missing is empty."""
    texts = ["the [MASK]", None, "is [MASK]"] * 1000
    table = pa.table({"id": list(range(3000)), "text": pa.array(texts, pa.string())})
    parquet.write_table(table, "in.parquet", row_group_size=700)
    result = invoke("in.parquet", "--column", "text", "--top-k", "1")
    assert result.output == "out.jsonl: 3000 rows, 1000 of them failed.\n"
    assert [words(line) if "results" in line else line["code"] for line in read()[:3]] == [
        ["the paris"],
        "empty_text",
        ["is paris"],
    ]
    assert "has the columns id, text" in invoke("in.parquet", output="two.jsonl").output
    lists = pa.table({"text": [[1], [2]]})
    parquet.write_table(lists, "lists.parquet")
    assert "lists.parquet cannot be read as Parquet (" in invoke("lists.parquet", output="3").output


def test_parquet_without_its_package_says_what_to_install(
    invoke: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other formats do without."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    Path("in.parquet").touch()
    result = invoke("in.parquet")
    assert result.output == "Error: Parquet needs pyarrow; install requirements/bulk.txt as well.\n"


def test_format_may_be_said(invoke: Any) -> None:
    """Where the name of the file tells none, or another one."""
    Path("in.dat").write_text("the [MASK]\n")
    assert "tells no format; give one with --format." in invoke("in.dat").output
    assert invoke("in.dat", "--format", "text").exit_code == 0


def test_too_long_row_fails_by_itself(invoke: Any) -> None:
    """In text as in JSON lines; its content is not kept."""
    for name in ("in.txt", "in.jsonl"):
        Path(name).write_text(f'"[MASK]"\n"[MASK] {"x" * 100}"\n"[MASK]"\n')
        output, failed = f"{name}.out", f"{name}.failed"
        invoke(name, "--failed", failed, output=output, FILLMASK_MAX_BODY_BYTES="20")
        assert [line.get("code") for line in read(output)] == [None, "payload_too_large", None]
        assert read(failed)[0]["row"] is None


def test_rows_that_failed_are_kept_with_their_errors(invoke: Any) -> None:
    """So that they can be mended and run again."""
    Path("in.txt").write_bytes(b"the [MASK]\nno mask\nbad \xff\n")
    invoke("in.txt", "--failed", "failed.jsonl")
    no_mask, bad = read("failed.jsonl")
    assert no_mask == read()[1] | {"row": "no mask"}
    assert (bad["line"], bad["row"]) == (3, "bad \ufffd")
    Path("in.jsonl").write_bytes(b'"\xff"\n')
    invoke("in.jsonl", "--failed", "again.jsonl", output="again")
    assert read("again.jsonl")[0]["row"] == '"\ufffd"'


def test_row_that_names_another_preset_fails(invoke: Any, store: FakeStore) -> None:
    """A run has one model."""
    Path("in.jsonl").write_text('{"inputs": "[MASK]", "preset": "other"}\n')
    assert invoke("in.jsonl").exit_code == 0
    assert read()[0]["code"] == "preset_unusable"
    assert store.loads == ["tiny"]
    assert invoke("in.jsonl", "--preset", "other", output="other.jsonl").exit_code == 0
    assert read("other.jsonl")[0]["preset"] == "other"


def test_rows_share_batches(invoke: Any, store: FakeStore) -> None:
    """As many texts and tokens as a batch may hold; rows of several texts, too."""
    engine = store.engines["tiny"] = FakeEngine()
    Path("in.jsonl").write_text('"[MASK]"\n' * 7 + '{"inputs": ["[MASK]", "[MASK]"]}\n' * 3)
    invoke("in.jsonl", FILLMASK_MAX_BATCH_SIZE="4")
    assert engine.batch_sizes == [4, 3, 4, 2]
    engine.batch_sizes.clear()
    invoke("in.jsonl", output="tokens", FILLMASK_MAX_BATCH_TOKENS="9")
    assert engine.batch_sizes == [3, 3, 3, 2, 2]
    engine.batch_sizes.clear()
    invoke("in.jsonl", output="tight", FILLMASK_MAX_BATCH_TOKENS="4")
    assert engine.batch_sizes == [1] * 13


def test_engine_that_fails_ends_the_run(invoke: Any, store: FakeStore) -> None:
    """With a sentence; what was written is gone on with."""
    broken = FakeEngine(answer=lambda _batch, _k: 1 / 0)  # type: ignore[arg-type, return-value]
    store.engines["tiny"] = broken
    Path("in.txt").write_text("[MASK]\n")
    result = invoke("in.txt")
    assert (result.exit_code, read()) == (1, [])
    assert "The engine failed on this batch" in result.output
    del store.engines["tiny"]
    assert invoke("in.txt").exit_code == 0
    assert len(read()) == 1


def test_error_begins_as_it_is_counted(invoke: Any) -> None:
    """A run that goes on counts the errors of the one before."""
    Path("in.txt").write_text("x\n")
    invoke("in.txt")
    assert Path("out.jsonl").read_bytes().startswith(ERROR_START)


class TestWhatIsThere:
    """Nothing is written over, and nothing is gone on with that is another run's."""

    @pytest.fixture(autouse=True)
    def _begun(self, invoke: Any, store: FakeStore) -> None:
        """Have a run that failed after its first batch."""
        Path("in.txt").write_text("x\n" + "[MASK]\n" * 3)

        def fail_late(*_: object) -> Any:
            raise RuntimeError

        store.engines["tiny"] = FakeEngine(answer=fail_late)
        result = invoke("in.txt", FILLMASK_MAX_BATCH_SIZE="1")
        assert result.exit_code == 1
        del store.engines["tiny"]

    def test_same_command_goes_on(self, invoke: Any) -> None:
        """And its work is done then."""
        assert invoke("in.txt").output == "out.jsonl: 4 rows, 1 of them failed.\n"
        assert not list(Path().glob("*.run*"))

    def test_torn_line_is_made_anew(self, invoke: Any) -> None:
        """What comes after it cannot be there."""
        with Path("out.jsonl").open("ab") as file:
            file.write(b'{"preset":"ti')
        assert invoke("in.txt").output == "out.jsonl: 4 rows, 1 of them failed.\n"
        assert len(read()) == 4

    def test_input_that_has_changed_is_refused(self, invoke: Any) -> None:
        """Its rows are others."""
        Path("in.txt").write_text("y\n" + "[MASK]\n" * 3)
        result = invoke("in.txt")
        assert result.exit_code == 1
        assert result.output == (
            "Error: The input has changed since out.jsonl was begun; remove out.jsonl and "
            "out.jsonl.run.\n"
        )

    def test_another_question_is_refused(self, invoke: Any) -> None:
        """It would give half an answer to each."""
        result = invoke("in.txt", "--top-k", "3", "--preset", "other")
        assert result.exit_code == 1
        assert "was begun with another preset, top_k; give the same to go on" in result.output

    def test_output_that_is_whole_is_not_written_over(self, invoke: Any) -> None:
        """Nor any other file."""
        invoke("in.txt")
        before = Path("out.jsonl").read_bytes()
        result = invoke("in.txt")
        assert result.exit_code == 1
        assert result.output.startswith("Error: out.jsonl is there already; remove it")
        assert Path("out.jsonl").read_bytes() == before

    def test_two_runs_do_not_share_an_output(self, invoke: Any) -> None:
        """The second is told."""
        with FileLock("out.jsonl.run.lock"):
            result = invoke("in.txt")
        assert result.output == (
            "Error: Another run writes out.jsonl; let it end, or name another file.\n"
        )


@pytest.mark.parametrize("names", [("in.txt", None), ("out", "in.txt"), ("out", "out")])
def test_files_are_apart(invoke: Any, names: tuple[str, str | None]) -> None:
    """No input is written over."""
    Path("in.txt").write_text("[MASK]\n")
    output, failed = names
    result = invoke("in.txt", *(["--failed", failed] if failed else []), output=output)
    assert "name one file; give each its own." in result.output
    assert Path("in.txt").read_text() == "[MASK]\n"


def test_empty_input_has_an_empty_output(invoke: Any) -> None:
    """No row, no line."""
    for name in ("in.txt", "in.jsonl", "in.csv"):
        Path(name).touch()
    assert invoke("in.txt").output == "out.jsonl: 0 rows, 0 of them failed.\n"
    assert invoke("in.csv", output="csv").exit_code == 1

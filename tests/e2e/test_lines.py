"""Lines over real connections: both ways at once, and packed."""

import gzip
import http.client
import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from e2e.running_server import PATIENCE_S, RunningServer

ROWS = 1500
HEADERS = {"content-type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """Return texts, each with its number, one in ten without a mask."""
    words = ("cat" if number % 10 == 0 else "[MASK]" for number in range(1, ROWS + 1))
    return [f'"The {word} is number {number}."' for number, word in enumerate(words, 1)]


def assert_right(answers: list[str]) -> None:
    """Hold every answer against the number of its line."""
    assert len(answers) == ROWS
    for number, answer in enumerate(map(json.loads, answers), 1):
        if number % 10 == 0:
            assert (answer["code"], answer["line"]) == ("mask_not_found", number)
        else:
            best = answer["results"][0]["masks"][0]["predictions"][0]
            assert best["sequence"].endswith(f"is number {number}.")


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_curl_sends_and_reads_at_once(
    server: RunningServer, lines: list[str], tmp_path: Path, encoding: str
) -> None:
    """As docs/bulk.md shows it: far more lines than the window holds."""
    content = "".join(f"{line}\n" for line in lines).encode()
    path = tmp_path / "texts.jsonl"
    path.write_bytes(gzip.compress(content) if encoding == "gzip" else content)
    headers = HEADERS | {"content-encoding": encoding}
    words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command = ["curl", "-sN", "--fail-with-body", "-T", str(path), "-X", "POST", *words]
    done = subprocess.run(  # noqa: S603  # our own words
        [*command, f"{server.url}/fill-mask"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert_right(done.stdout.splitlines())


def test_answer_comes_before_the_next_line_is_sent(server: RunningServer) -> None:
    """Nothing between the socket and the engine holds lines back."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, PATIENCE_S)
    connection.putrequest("POST", f"{address.path}/fill-mask")
    for name, value in (HEADERS | {"transfer-encoding": "chunked"}).items():
        connection.putheader(name, value)
    connection.endheaders()
    response = None
    for number in range(1, 4):
        line = b'"[MASK] is number %d."\n' % number
        connection.send(b"%x\r\n%s\r\n" % (len(line), line))
        response = response or connection.getresponse()
        answer = json.loads(response.readline())
        assert answer["results"][0]["tokens"] == 7
    connection.send(b"0\r\n\r\n")
    assert response is not None
    assert response.read() == b""
    connection.close()

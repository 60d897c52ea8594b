"""What docs/behind-nginx.md promises of the service behind Debian's nginx."""

import gzip
import http.client
import json
import re
import socket
import subprocess
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from e2e.running_server import RunningServer
from e2e.test_lines import HEADERS, ROWS, assert_right
from e2e.test_workers import wait_until
from nginx.front import CALLER, PATIENCE_S, ROOT, Front, start_nginx, start_service

pytestmark = pytest.mark.nginx

BODY = {"inputs": "The capital of France is [MASK]."}
_ESTABLISHED = "01"


def clients(server: RunningServer, request_id: str, count: int) -> set[str]:
    """Return whose requests with an id the server has logged, once there are so many."""
    found: list[str] = []
    while len(found) < count:
        lines = map(json.loads, server.output.read_text("utf-8").splitlines())
        requests = [line for line in lines if line["event"] == "request"]
        found = [line["client"] for line in requests if line["request_id"] == request_id]
    return set(found)


def scrape(server: RunningServer, pattern: str) -> float:
    """Return the sum of the samples that the server itself shows under a name and labels."""
    text = httpx.get(f"{server.url}/metrics", trust_env=False).text
    return sum(map(float, re.findall(rf"^{pattern} (\S+)$", text, re.MULTILINE)))


def test_answer_is_the_services_own(front: Front) -> None:
    """Nothing of it is lost on the way."""
    direct = httpx.post(f"{front.server.url}/fill-mask", json=BODY, trust_env=False)
    with front.client() as client:
        answer = client.post("/fill-mask", json=BODY)
        packed = client.post(
            "/fill-mask",
            content=gzip.compress(json.dumps(BODY).encode()),
            headers={"content-encoding": "gzip", "content-type": "application/json"},
        )
    assert answer.json() == direct.json() == packed.json()
    assert answer.json()["results"][0]["masks"][0]["predictions"][0]["token"] == 3000
    assert answer.headers.keys() >= {"x-request-id", "server-timing", "x-content-type-options"}


@pytest.mark.parametrize(("path", "folder"), [("/", "page"), ("/docs", "docs")])
def test_page_is_whole_under_the_prefix(front: Front, path: str, folder: str) -> None:
    """Each file that it names is there."""
    with front.client() as client:
        page = client.get(path)
        files = re.findall(rf'(?:src|href)="({folder}/[^"]+)"', page.text)
        answers = [client.get(f"/{file}") for file in files]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert files
    assert {answer.status_code for answer in answers} == {200}


def test_document_says_where_the_service_is(front: Front) -> None:
    """For clients that are made from it."""
    with front.client() as client:
        document = client.get("/openapi.json").json()
    assert document["servers"] == [{"url": ROOT}]


def test_redirections_stay_under_the_prefix(front: Front) -> None:
    """Those of the service, and nginx's own."""
    with front.client() as client:
        ours = client.post("/score/", json={})
        theirs = client.get(front.url)
    assert (ours.status_code, ours.headers["location"]) == (307, f"{ROOT}/score")
    assert (theirs.status_code, theirs.headers["location"]) == (301, f"{front.url}/")


def test_answer_to_a_line_comes_before_the_next_is_sent(front: Front) -> None:
    """Neither the one nor the other is collected."""
    connection = http.client.HTTPSConnection(
        "127.0.0.1", front.port, timeout=PATIENCE_S, context=front.context
    )
    connection.putrequest("POST", f"{ROOT}/fill-mask")
    for name, value in (HEADERS | {"transfer-encoding": "chunked"}).items():
        connection.putheader(name, value)
    connection.endheaders()
    response = None
    for number in range(1, 4):
        line = b'"[MASK] is number %d."\n' % number
        connection.send(b"%x\r\n%s\r\n" % (len(line), line))
        response = response or connection.getresponse()
        assert json.loads(response.readline())["results"][0]["tokens"] == 7
    connection.send(b"0\r\n\r\n")
    assert response is not None
    assert response.read() == b""
    connection.close()


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_sends_and_reads_lines_at_once(
    front: Front, tmp_path: Path, encoding: str, version: str
) -> None:
    """Far more than the window holds, by both versions that nginx takes."""
    words = ("cat" if number % 10 == 0 else "[MASK]" for number in range(1, ROWS + 1))
    content = "".join(f'"The {w} is number {n}."\n' for n, w in enumerate(words, 1)).encode()
    path = tmp_path / "texts.jsonl"
    path.write_bytes(gzip.compress(content) if encoding == "gzip" else content)
    headers = [*(f"{n}: {v}" for n, v in HEADERS.items()), f"content-encoding: {encoding}"]
    command = ["curl", "-sNk", version, "--fail-with-body", "-T", str(path), "-X", "POST"]
    done = subprocess.run(  # noqa: S603  # our own words
        [*command, *(word for h in headers for word in ("-H", h)), f"{front.url}/fill-mask"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert_right(done.stdout.splitlines())


def test_limits_are_the_services_own(front: Front) -> None:
    """A body that is too large and a time that is too short: each with its sentence."""
    with front.client() as client:
        large = client.post("/fill-mask", json={"inputs": "x" * 2**21})
        late = client.post("/fill-mask", json=BODY, headers={"x-request-timeout-s": "0.001"})
    assert (large.status_code, large.json()["code"]) == (413, "payload_too_large")
    assert (late.status_code, late.json()["code"]) == (408, "caller_timeout")


def test_whoever_hangs_up_leaves_the_queue(front: Front) -> None:
    """Seconds of work are not done for nobody."""
    cancelled = r'fill_mask_requests_total\{outcome="cancelled",preset="[^"]+"\}'
    texts = [f"{'word ' * 480}{number} [MASK]." for number in range(256)]
    body = json.dumps({"inputs": texts, "top_k": 1}).encode()
    head = f"POST {ROOT}/fill-mask HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", front.port)) as plain:
        caller = front.context.wrap_socket(plain, server_hostname="127.0.0.1")
        caller.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        wait_until(lambda: scrape(front.server, r"fill_mask_queue_size(?:\{[^}]*\})?") > 0)
        caller.close()
    wait_until(lambda: scrape(front.server, cancelled) == 1)


@pytest.mark.parametrize("forwarded", [None, "203.0.113.7", "127.0.0.1", "x" * 5000])
def test_address_is_that_of_who_called_nginx(front: Front, forwarded: str | None) -> None:
    """Whatever the caller says, in whichever worker."""
    request_id = uuid4().hex
    headers = {"x-request-id": request_id, "x-forwarded-for": forwarded or ""}
    with front.client() as client:
        for _ in range(10):
            assert client.get("/healthz", headers=headers).is_success
    assert clients(front.server, request_id, 10) == {CALLER}


def test_address_of_whoever_calls_the_service_itself_is_its_own(front: Front) -> None:
    """Nobody but the proxy may speak for others."""
    request_id = uuid4().hex
    transport = httpx.HTTPTransport(local_address=CALLER)
    with httpx.Client(transport=transport, base_url=front.server.url) as client:
        client.get(
            "/healthz", headers={"x-request-id": request_id, "x-forwarded-for": "203.0.113.7"}
        )
    assert clients(front.server, request_id, 1) == {CALLER}


def test_connection_to_the_service_is_kept(front: Front) -> None:
    """It is there after the request, for the next one."""
    with front.client() as client:
        client.get("/healthz")
    port = int(front.server.url.rpartition(":")[2])
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    kept = [row for row in rows if row[1].endswith(f":{port:04X}") and row[3] == _ESTABLISHED]
    assert kept


@pytest.mark.parametrize("path", ["/metrics", "//metrics", "/%6detrics", "/x/../metrics"])
def test_what_the_page_closes_is_closed(front: Front, path: str) -> None:
    """In every spelling of the path."""
    connection = http.client.HTTPSConnection("127.0.0.1", front.port, context=front.context)
    connection.request("GET", ROOT + path)
    answer = connection.getresponse()
    assert (answer.status, b"fill_mask" in answer.read()) == (404, False)
    connection.close()


@pytest.mark.parametrize(
    "path", ["/presets/tiny/load", "//presets/tiny/load", f"{ROOT}/presets/x/load"]
)
def test_what_takes_an_admins_key_takes_it_here(front: Front, path: str) -> None:
    """The prefix opens nothing."""
    with front.client() as client:
        assert client.post(path).status_code in {401, 404}
        assert client.post("/presets/tiny/load").status_code == 401


def test_refusal_passes_with_its_time(tmp_path: Path) -> None:
    """429, when to come again, and a sentence."""
    with (
        start_service(tmp_path, FILLMASK_MAX_CONNECTIONS="1") as server,
        start_nginx(server, tmp_path) as front,
        front.client() as client,
    ):
        port = int(server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)):
            answer = client.post("/fill-mask", json=BODY)
    assert (answer.status_code, answer.json()["code"]) == (429, "overloaded")
    assert int(answer.headers["retry-after"]) >= 1

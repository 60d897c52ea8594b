"""Whatever a body holds: a right answer, or a refusal in the one form; and the server lives on."""

import gzip
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from e2e.running_server import RunningServer

PRESET = "minilm_l6_en_uncased"
INFER = f"/v2/models/{PRESET}/infer"
PATHS = ("/fill-mask", f"/models/{PRESET}")
OTHER_PATHS = (f"/v1/models/{PRESET}:predict", INFER)
"""Those whose texts are under other names."""

SENTENCE = "The capital of France is [MASK]."
JSON = {"content-type": "application/json"}
VALID = (
    {"inputs": SENTENCE},
    {"inputs": [SENTENCE, "A [MASK] and a [MASK]."], "top_k": 3},
    {"inputs": SENTENCE, "targets": ["paris", "swimming pool"]},
    {"inputs": [SENTENCE], "targets": [[["paris", "rome"]]]},
    {"inputs": SENTENCE, "filter": {"whole_words": True, "exclude": ["paris"], "min_score": 0.1}},
    {"inputs": SENTENCE, "decode": "joint", "beam_width": 2, "span": {"min": 1, "max": 2}},
    {"inputs": SENTENCE, "overflow": "window"},
    {"inputs": SENTENCE, "preset": PRESET},
    {"inputs": SENTENCE, "parameters": {"top_k": 2, "targets": ["paris"]}, "options": {}},
    {"instances": [SENTENCE, {"text": SENTENCE}], "parameters": {"top_k": 2}},
    {"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "data": [SENTENCE]}]},
)
PARIS = 3000
TIMEOUT_S = 120

each_path = pytest.mark.parametrize("path", PATHS)
every_path = pytest.mark.parametrize("path", PATHS + OTHER_PATHS)


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[httpx.Client]:
    """A client that waits for no answer longer than a hang would take."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=TIMEOUT_S) as client:
        yield client


@pytest.fixture(autouse=True)
def _server_lives_on(client: httpx.Client) -> Iterator[None]:
    """Ask something sensible after every test."""
    yield
    answer = client.post("/fill-mask", json={"inputs": SENTENCE}).json()
    assert answer["results"][0]["masks"][0]["predictions"][0]["token"] == PARIS


def assert_is_answer(response: httpx.Response) -> None:
    """Hold an answer against the one form of errors, or that of results."""
    answer = response.json()
    if response.status_code == 200:
        # What was found is the last field of each.
        assert [*answer.values()][-1] if isinstance(answer, dict) else answer[0]
        return
    assert 400 <= response.status_code < 500, answer
    assert response.headers["content-type"] == "application/json"
    assert set(answer) - {"input"} == {"error", "code"}
    assert isinstance(answer["error"], str)
    assert isinstance(answer["code"], str)
    assert len(answer["error"]) < 1000


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Draw a body: a valid one with bytes changed, cut or spliced, or bytes at random."""
    content = json.dumps(draw(st.sampled_from(VALID))).encode()
    kind = draw(st.sampled_from(["flip", "cut", "splice", "random"]))
    places = st.integers(0, len(content) - 1)
    if kind == "cut":
        return content[: draw(places)]
    if kind == "splice":
        start, end = sorted((draw(places), draw(places)))
        place = draw(places)
        return content[:place] + content[start:end] + content[place:]
    if kind == "random":
        return draw(st.binary(max_size=300))
    mutable = bytearray(content)
    for place in draw(st.lists(places, min_size=1, max_size=5)):
        mutable[place] = draw(st.integers(0, 255))
    return bytes(mutable)


def fuzz(client: httpx.Client, path: str, examples: int) -> None:
    """Send bodies to a route."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(body=bodies())
    def send(body: bytes) -> None:
        assert_is_answer(client.post(path, content=body, headers=JSON))

    send()


@every_path
def test_damaged_bodies_are_answered(client: httpx.Client, path: str) -> None:
    """Any bytes may come."""
    fuzz(client, path, 200)


@pytest.mark.slow
@every_path
def test_many_damaged_bodies_are_answered(client: httpx.Client, path: str) -> None:
    """The same for a few minutes."""
    fuzz(client, path, 10_000)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    length=st.integers(0, 200) | st.none(),
    size=st.integers(0, 80),
    shape=st.lists(st.integers(0, 3), max_size=3),
    tensors=st.binary(max_size=80) | st.just(b"\6\0\0\0[MASK]"),
)
def test_any_bytes_may_be_behind_the_json(
    client: httpx.Client, length: int | None, size: int, shape: list[int], tensors: bytes
) -> None:
    """Whatever head and header say of them."""
    tensor = {"name": "x", "shape": shape, "datatype": "BYTES"}
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": size}}]}).encode()
    headers = {"inference-header-content-length": str(len(head) if length is None else length)}
    response = client.post(INFER, content=head + tensors, headers=headers)
    assert_is_answer(response)


def inputs(raw: str) -> bytes:
    """Return a body with such JSON for its inputs."""
    return f'{{"inputs": {raw}}}'.encode()


HOSTILE = {
    "empty": b"",
    "nul bytes": b"\0" * 1000,
    "nul in a text": inputs('"a\\u0000 [MASK]"'),
    "raw nul in a text": inputs('"a\0 [MASK]"'),
    "lone surrogate": inputs('"\\ud800 [MASK]"'),
    "reversed surrogates": inputs('"\\udc00\\ud800 [MASK]"'),
    "surrogate as raw bytes": inputs('"[MASK] "').replace(b' "', b'\xed\xa0\x80"'),
    "overlong UTF-8": inputs('"[MASK]"').replace(b"M", b"\xc1\x8d"),
    "a word of a megabyte": inputs(f'"[MASK] {"x" * 1_000_000}"'),
    "a word of 99,000": inputs(f'"[MASK] {"x" * 99_000}"'),
    "99,000 combining marks": inputs(f'"[MASK] {chr(0x301) * 99_000}"'),
    "10,000 masks": inputs(f'"{"[MASK] " * 10_000}"'),
    "10,000 texts": inputs(json.dumps(["[MASK]"] * 10_000)),
    "deep lists": inputs("[" * 100_000 + "]" * 100_000),
    "deep objects": b'{"inputs":' * 90_000 + b"1" + b"}" * 90_000,
    "unclosed lists": b"[" * 500_000,
    "deep options": b'{"inputs": "[MASK]", "options": ' + b'{"a":' * 150 + b"1" + b"}" * 151,
    "NaN": inputs("NaN"),
    "top_k NaN": b'{"inputs": "[MASK]", "top_k": NaN}',
    "top_k Infinity": b'{"inputs": "[MASK]", "top_k": -Infinity}',
    "top_k 1e400": b'{"inputs": "[MASK]", "top_k": 1e400}',
    "top_k of 5,000 digits": b'{"inputs": "[MASK]", "top_k": ' + b"9" * 5000 + b"}",
    "top_k of 4,000 digits": b'{"inputs": "[MASK]", "top_k": ' + b"9" * 4000 + b"}",
    "nested top_k": b'{"inputs": "[MASK]", "parameters": {"top_k": ' + b"9" * 4000 + b"}}",
    "duplicate keys": b'{"inputs": 1, "inputs": "a [MASK]"}',
    "BOM": b"\xef\xbb\xbf" + inputs('"a [MASK]"'),
    "UTF-16": inputs('"a [MASK]"').decode().encode("utf-16"),
    "UTF-32": inputs('"a [MASK]"').decode().encode("utf-32"),
    "a long key": b'{"inputs": "[MASK]", "' + b"k" * 100_000 + b'": 1}',
    "a long preset": b'{"inputs": "[MASK]", "preset": "' + b"p" * 100_000 + b'"}',
    "a surrogate preset": b'{"inputs": "[MASK]", "preset": "\\ud800"}',
    "a surrogate target": b'{"inputs": "[MASK]", "targets": ["\\ud800"]}',
    "a surrogate key": b'{"inputs": "[MASK]", "\\ud800": 1}',
    "a null preset": b'{"inputs": "[MASK]", "preset": "\\u0000"}',
}


@each_path
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_are_answered(client: httpx.Client, path: str, body: bytes) -> None:
    """What is known to break parsers."""
    assert_is_answer(client.post(path, content=body, headers=JSON))


@each_path
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json; charset=\xff"},
        {"content-type": "a" * 10_000},
        {**JSON, "content-encoding": "gzip"},
        {**JSON, "accept": "image/png"},
    ],
    ids=str,
)
def test_hostile_headers_are_answered(client: httpx.Client, path: str, headers: Any) -> None:
    """A header may say anything of a good body."""
    raw = [(name, value.encode("latin-1")) for name, value in headers.items()]
    assert_is_answer(client.post(path, content=inputs('"a [MASK]"'), headers=raw))


@each_path
@pytest.mark.parametrize("size", [10, 10**8])
def test_packed_bodies_are_unpacked_to_the_limit(
    client: httpx.Client, path: str, size: int
) -> None:
    """However much is in one."""
    headers = {**JSON, "content-encoding": "gzip"}
    body = inputs('"a [MASK]"') + b" " * size
    response = client.post(path, content=gzip.compress(body), headers=headers)
    assert response.status_code == (200 if size == 10 else 413)
    assert_is_answer(response)


@each_path
@given(junk=st.binary(max_size=64), at=st.integers(0, 60))
@settings(max_examples=20, deadline=None)
def test_broken_packed_bodies_are_refused(
    client: httpx.Client, path: str, junk: bytes, at: int
) -> None:
    """Cut, or overwritten anywhere: never an error of the server."""
    headers = {**JSON, "content-encoding": "gzip"}
    body = gzip.compress(inputs('"a [MASK]"'))
    response = client.post(path, content=body[:at] + junk, headers=headers)
    assert response.status_code < 500
    assert_is_answer(response)


@each_path
@pytest.mark.parametrize(
    "path_of", ["%00", "%ff%fe", "..%2f..%2fetc", "a" * 5_000, "%ED%A0%80", "a%0d%0ab: c"]
)
def test_hostile_presets_are_not_found(client: httpx.Client, path: str, path_of: str) -> None:
    """A name is only looked up."""
    body = {"inputs": SENTENCE, "preset": path_of} if path == "/fill-mask" else {"inputs": SENTENCE}
    url = path if path == "/fill-mask" else f"/models/{path_of}"
    response = client.post(url, json=body)
    assert response.status_code == 404
    assert_is_answer(response)


@each_path
@pytest.mark.parametrize(
    "framing",
    [
        b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n5\r\n{}\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"content-length: 2\r\ncontent-length: 9\r\n\r\n{}",
        b"content-length: -1\r\n\r\n{}",
        b"content-length: 99999999999999999999999\r\n\r\n{}",
    ],
)
def test_wrong_framing_is_refused(server: RunningServer, path: str, framing: bytes) -> None:
    """The length of a body is told wrongly: 4xx, or the connection ends; nothing hangs."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n".encode()
    with socket.create_connection((host, int(port)), TIMEOUT_S) as connection:
        connection.sendall(head + framing)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer

"""What is peculiar to Hugging Face's clients: addresses, questions beside the task, retries."""

import asyncio
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from huggingface_hub import AsyncInferenceClient, InferenceClient
from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.callers import MARKS
from clients.conftest import SERVER
from clients.hugging_face import (
    JAVASCRIPT,
    ask_async,
    ask_javascript,
    ask_sync,
    read_plain,
    run_javascript,
    run_node,
)
from clients.questions import PRESET, Caller, Question, RefusedError, ask_natively
from clients.table import ONE_MASK, TWO_MASKS
from documents.blocks import read_blocks
from e2e.running_server import RunningServer, start_server

ABSENT = "bert_tiny_en_uncased"
"""A preset that is listed, and whose files are not here."""

PAGE = "docs/hugging-face.md"
SHOWN_URL = "http://127.0.0.1:8000"
_PATIENCE_S = 60
_POLL_S = 0.05

CALLERS: dict[str, Any] = {"sync": ask_sync, "async": ask_async, "javascript": ask_javascript}
each_caller = pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)

WORDS = st.sampled_from(
    ["the", "Cat", "Größe", "##s", "日本", "paris", "🙂", ".", "[MASK]", "[MASK]"]
)
TEXTS = st.lists(WORDS, max_size=8).map(lambda words: " ".join([*words, "[MASK]"]))
TARGETS = st.sampled_from(["paris", "rome", "capital", "dog", "##s", "the", "."])
PARAMETERS = st.fixed_dictionaries(
    {"top_k": st.integers(1, 20)},
    optional={"targets": st.lists(TARGETS, min_size=1, max_size=5, unique=True)},
)
ASKED = st.tuples(st.lists(TEXTS, min_size=1, max_size=4), PARAMETERS)

pytestmark = MARKS


@pytest.fixture(scope="module")
def ending_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Return a server that was told to end, and still takes connections."""
    env = {"FILLMASK_OFFLINE": "1", "FILLMASK_SHUTDOWN_NOTICE_S": str(10 * _PATIENCE_S)}
    env["FILLMASK_SHUTDOWN_TIMEOUT_S"] = str(20 * _PATIENCE_S)
    with start_server(env, tmp_path_factory.mktemp("ending"), SERVER) as running:
        running.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE_S
        while httpx.get(f"{running.url}/readyz").status_code != 503:
            assert time.monotonic() < deadline
            time.sleep(_POLL_S)
        yield running


@each_caller
@pytest.mark.parametrize("path", ["", "/", "/hf-inference/models/{model}", "/models/{model}/"])
@pytest.mark.parametrize("texts", [[ONE_MASK], [TWO_MASKS], [ONE_MASK, TWO_MASKS]])
def test_every_address_answers(
    server: RunningServer, caller: Any, path: str, texts: list[str]
) -> None:
    """That of the server alone, by its default preset, and that of Hugging Face's router."""
    question = Question(server.url, texts, {"top_k": 3})
    assert caller(question, path) == expect(question)


@pytest.mark.parametrize("caller", [ask_sync, ask_async], ids=["sync", "async"])
@given(questions=st.lists(ASKED, min_size=1, max_size=8))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_answers_in_python_are_the_native_ones(
    server: RunningServer, caller: Caller, questions: list[Any]
) -> None:
    """Whatever is asked."""
    for texts, parameters in questions:
        question = Question(server.url, texts, parameters)
        assert caller(question) == expect(question)


@given(questions=st.lists(ASKED, min_size=1, max_size=24))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_answers_in_javascript_are_the_native_ones(
    server: RunningServer, questions: list[Any]
) -> None:
    """Whatever is asked, many questions by one process."""
    asked = [Question(server.url, texts, parameters) for texts, parameters in questions]
    said = run_javascript(asked)
    assert [read_plain(each["answer"]) for each in said] == [expect(each) for each in asked]


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "nobody"},
        {"texts": ["No mask."]},
        {"parameters": {"topk": 1}},
        {"key": "wrong"},
        {"timeout_s": 0.001, "texts": [ONE_MASK] * 200},
    ],
    ids=str,
)
def test_javascript_asks_once_whatever_it_is_told(
    server: RunningServer, fields: dict[str, Any]
) -> None:
    """A refusal is shown with the request that it is of, and not provoked again."""
    asked: dict[str, Any] = {"texts": [ONE_MASK], "parameters": {}} | fields
    [said] = run_javascript([Question(server.url, **asked)])
    assert said["statuses"] == [said["status"]]
    assert said["requestId"]


@each_caller
def test_end_of_the_server_is_shown_at_once(ending_server: RunningServer, caller: Any) -> None:
    """A client that sends a request again after a 503 is not given one."""
    with pytest.raises(RefusedError, match="shutting down") as refused:
        caller(Question(ending_server.url, [ONE_MASK], {}))
    assert refused.value.status == 502


def test_javascript_asks_an_ending_server_once(ending_server: RunningServer) -> None:
    """Nothing was sent again, with the address of the server alone either."""
    question = Question(ending_server.url, [ONE_MASK], {})
    said = [run_javascript([question], path)[0] for path in ("", "/models/{model}")]
    assert [each["statuses"] for each in said] == [[502], [502]]


def test_python_names_the_request_that_was_refused(server: RunningServer) -> None:
    """By the id that is in the server's log, too."""
    client = InferenceClient(model=f"{server.url}/models/nobody", token="key")  # noqa: S106
    with pytest.raises(HfHubHTTPError) as refused:
        client.fill_mask(ONE_MASK)
    assert refused.value.request_id == refused.value.response.headers["x-request-id"]
    assert refused.value.request_id


def test_python_may_be_in_a_hurry(server: RunningServer) -> None:
    """By its own timeout."""
    client = InferenceClient(model=server.url, token="key", timeout=0.001)  # noqa: S106
    with pytest.raises(InferenceTimeoutError):
        client.fill_mask([ONE_MASK] * 200)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["", f"/models/{PRESET}", f"/models/{ABSENT}"])
def test_python_sees_what_is_ready(server: RunningServer, model: str) -> None:
    """The server by its address, and whether a preset is loaded; sync and async."""
    connection: Any = {
        "model": server.url + model,
        "token": "key",
        "provider": "hf-inference",
    }

    async def ask() -> Any:
        async with AsyncInferenceClient(**connection) as client:
            return await client.health_check(), await client.get_endpoint_info()

    client = InferenceClient(**connection)
    healthy, info = client.health_check(), client.get_endpoint_info()
    assert (healthy, info) == asyncio.run(ask())
    assert healthy is (ABSENT not in model)
    assert info.get("model_id", info.get("default")) == (ABSENT if ABSENT in model else PRESET)


def test_javascript_prints_what_its_page_shows(server: RunningServer) -> None:
    """As it stands there, but for the address and the key."""
    [shown] = [block for block in read_blocks(PAGE) if block.language == "js"]
    program = shown.text.replace(SHOWN_URL, server.url).replace('"KEY"', '"key"')
    (JAVASCRIPT / "node_modules" / "shown.mjs").write_text(program, "utf-8")
    assert shown.said
    assert run_node("node_modules/shown.mjs") == shown.said.text


def expect(question: Question) -> Any:
    """Return the native predictions, whose scores others may round."""
    return [
        [(token, entry, pytest.approx(score, abs=1e-4)) for token, entry, score in mask]
        for mask in ask_natively(question)
    ]

"""Hugging Face's clients, each behind the one question that the tests ask."""

import asyncio
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import AsyncInferenceClient, FillMaskOutputElement, InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from clients.questions import Prediction, Question, RefusedError

JAVASCRIPT = Path(__file__).with_name("hugging_face_js")
PRESET_PATH = "/models/{model}"
_PATIENCE_S = 120


def ask_sync(question: Question, path: str = PRESET_PATH) -> list[list[Prediction]]:
    """Ask with `huggingface_hub.InferenceClient`."""
    client = InferenceClient(**_connection(question, path))
    try:
        return _read_elements(client.fill_mask(_inputs(question), **question.parameters))
    except HfHubHTTPError as error:
        raise RefusedError(error.response.status_code, str(error)) from error


def ask_async(question: Question, path: str = PRESET_PATH) -> list[list[Prediction]]:
    """Ask with `huggingface_hub.AsyncInferenceClient`."""

    async def ask() -> list[list[Prediction]]:
        async with AsyncInferenceClient(**_connection(question, path)) as client:
            found = await client.fill_mask(_inputs(question), **question.parameters)
            return _read_elements(found)

    try:
        return asyncio.run(ask())
    except HfHubHTTPError as error:
        raise RefusedError(error.response.status_code, str(error)) from error


def ask_javascript(question: Question, path: str = PRESET_PATH) -> list[list[Prediction]]:
    """Ask with `@huggingface/inference`."""
    [said] = run_javascript([question], path)
    if "error" in said:
        raise RefusedError(said["status"], said["error"])
    return read_plain(said["answer"])


def run_javascript(questions: Sequence[Question], path: str = PRESET_PATH) -> list[dict[str, Any]]:
    """Have one process ask many questions, and return what came of each.

    An `answer`, or an `error` with its `status` and `requestId`; and the `statuses` of all that was
    sent for it.
    """
    sent = [
        {
            "address": _address(question, path),
            "inputs": _inputs(question),
            "parameters": question.parameters,
            "key": question.key,
            "headers": _extra_headers(question),
        }
        for question in questions
    ]
    said: list[dict[str, Any]] = json.loads(run_node("ask.mjs", json.dumps(sent)))
    return said


def run_node(program: str, stdin: str = "") -> str:
    """Run a program beside the client, and return what it prints."""
    done = subprocess.run(  # noqa: S603  # our own programs
        ["node", program],  # noqa: S607  # whichever there is
        cwd=JAVASCRIPT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_plain(answer: Any) -> list[list[Prediction]]:
    """Return the predictions of every mask of every text, whatever lists they are in."""
    if isinstance(answer[0], dict):
        return [[(each["token"], each["token_str"], each["score"]) for each in answer]]
    return [mask for part in answer for mask in read_plain(part)]


def _read_elements(answer: Any) -> list[list[Prediction]]:
    if isinstance(answer[0], FillMaskOutputElement):
        return [[(each.token, each.token_str, each.score) for each in answer]]
    return [mask for part in answer for mask in _read_elements(part)]


def _connection(question: Question, path: str) -> dict[str, Any]:
    return {
        "model": _address(question, path),
        "token": question.key,
        "headers": _extra_headers(question),
    }


def _address(question: Question, path: str) -> str:
    return question.url + path.format(model=question.model)


def _inputs(question: Question) -> Any:
    """Return a lone text as itself, which is what people send."""
    return question.texts[0] if len(question.texts) == 1 else list(question.texts)


def _extra_headers(question: Question) -> dict[str, str]:
    return {name: said for name, said in question.headers.items() if name != "authorization"}

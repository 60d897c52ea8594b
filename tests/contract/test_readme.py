"""What the README shows is so."""

import json
import re
import shlex

from contract.documents import code_blocks, read
from service.routes.fill_mask.answer import FillMaskResponse
from service.routes.fill_mask.request import FillMaskRequest
from service.routes.hugging_face.fill_mask_task import FillMaskElement

MAX_LINES = 150


def test_readme_is_short() -> None:
    """It stays below the length that people read."""
    assert len(read("README.md").splitlines()) < MAX_LINES


def test_commands_are_make_targets() -> None:
    """Every `make` in a document names a target that the Makefile has."""
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    documents = ("README.md", "docs/operations.md", "docs/configuration.md", ".ci/run")
    in_blocks = [
        line
        for path in documents
        for block in code_blocks(path, "sh")
        for line in block.splitlines()
    ]
    in_text = [
        line
        for path in documents
        for line in re.findall(r"(?:^|`)(make [a-z-]+)", read(path), re.MULTILINE)
    ]
    used = set(re.findall(r"\bmake ([a-z-]+)", "\n".join(in_blocks + in_text)))
    assert used >= {"run", "test", "check"}
    assert used <= targets


def test_curl_sends_a_valid_request() -> None:
    """The body of the README's curl is one that the app reads."""
    request = FillMaskRequest.model_validate_json(curl_body())
    assert request.inputs


def test_shown_answer_is_that_of_the_request() -> None:
    """The answer below the curl has the app's form, and belongs to the curl's text."""
    request = FillMaskRequest.model_validate_json(curl_body())
    shown, *_ = code_blocks("README.md", "json")
    answer = FillMaskResponse.model_validate_json(shown)
    assert json.loads(shown) == answer.model_dump(exclude_unset=True)
    (mask,) = answer.results[0].masks
    assert isinstance(request.inputs, str)
    assert request.inputs[mask.start : mask.end] == "[MASK]"
    assert [prediction.sequence for prediction in mask.predictions] == [
        request.inputs.replace("[MASK]", prediction.token_str) for prediction in mask.predictions
    ]
    assert len(mask.predictions) == request.top_k


def test_client_example_uses_fields_that_are_there() -> None:
    """The Python example compiles, and reads fields that the answer has."""
    example, *_ = code_blocks("README.md", "python")
    compile(example, "README.md", "exec")
    used = set(re.findall(r"answer\.(\w+)", example))
    assert used
    assert used <= set(FillMaskElement.model_fields)


def curl_body() -> str:
    """Return what the README's first curl sends."""
    block = next(block for block in code_blocks("README.md", "sh") if "curl" in block)
    words = shlex.split(block.replace("\\\n", " "))
    return words[words.index("-d") + 1]

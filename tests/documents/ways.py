"""How each block of the documents is run; where one is not, why.

A reader pastes what a page shows. So each page is walked from top to bottom by `test_pages.py`.
This is the one place that names what is run elsewhere, or not at all.
"""

from contract.documents import DOCUMENTS
from documents.blocks import Block, read_blocks

SHELLS = {"sh", "console"}
PYTHONS = {"python"}
PROGRAMS = SHELLS | PYTHONS | {"js", "ts", "promql"}
DATA = {"", "ini", "json", "nginx", "text", "toml", "yaml"}

RUN_ELSEWHERE = {
    ("docs/clients.md", "python"): "tests/clients/generated/test_generated.py",
    ("docs/clients.md", "ts"): "tests/clients/generated/test_generated.py",
    ("docs/elasticsearch.md", "python"): "tests/contract/test_elasticsearch.py",
    ("docs/hugging-face.md", "js"): "tests/clients/test_hugging_face.py",
    ("docs/metrics.md", "promql"): "tests/documents/test_promql.py",
    ("docs/open-inference.md", "python"): "tests/clients/test_documents.py",
    ("docs/python.md", "python"): "tests/documents/test_python_document.py",
    ("docs/training.md", "python"): "tests/keras_hub_suite/test_documentation.py",
}
"""Who runs the blocks of one language on a page, where they need more than a shell has."""

NOT_RUN = {
    "docker ": "It needs an engine for containers. tests/front_door/test_image.py takes the steps"
    " of the Dockerfile and starts what they make as Docker would.",
    "make image": "As `docker`.",
    "kubectl ": "It needs a cluster. test_kubernetes.py builds the page's overlay with kubectl, and"
    " tests/manifests holds what is applied against the service.",
    "helm ": "As `kubectl`.",
    "make capacity": "It measures for minutes, on a machine that does nothing else.",
    "-m bench.capacity": "It is not of the service. tests/bench/capacity runs its parts.",
    "serve run": "It starts a cluster. tests/on_ray has one, and tests/contract/test_ray_files.py"
    " reads what it is given.",
    "serve deploy": "As `serve run`.",
    "ray start": "As `serve run`.",
    "make gpu-check": "It needs a GPU. tests/bench/test_gpu_check.py runs it on a processor.",
    "/opt/fillmask/": "It installs outside of the clone. tests/front_door installs the same locks.",
    "python3.11 -m venv /opt/fillmask": "As `/opt/fillmask/`.",
    "pip install": "It fetches packages. tests/front_door installs each extra from its lock.",
    "-m pip ": "As `pip install`.",
    "http://collector": "It needs a collector. tests/front_door/test_extras.py has one.",
    "presets pull hf://facebook/": "It needs weights that prove themselves, and ours are random."
    " tests/e2e/test_pull.py pulls others.",
    "make test": "It is what runs this.",
    "-m pytest": "As `make test`.",
    "make bench": "It measures for minutes, and what else runs on the machine spoils it.",
    "openapi-python-client generate": "tests/clients/generated generates it in an environment of"
    " its own.",
    "npm install": "It fetches packages. tests/clients/generated does.",
    "npx openapi-typescript": "As `npm install`.",
    "-m bench.minimal_pairs": "It needs DIRECTORY. tests/bench/test_minimal_pairs.py runs it.",
    "fillmask bench": "It measures for half a minute, and what else runs spoils it."
    " tests/service/commands/bench has it run.",
    "--ray auto": "It needs a cluster. tests/on_ray/test_bulk.py has one.",
    "--heldout rest.txt": "It takes a corpus. docs/training.md has such commands run.",
    "KERAS_BACKEND=": "It trains for hours, on text and with a backend that no lock holds;"
    " the page's other command of `fillmask train` is run.",
}
"""Parts of commands that are not run, and why. test_commands.py holds their options."""

SHORTER = {"--steps 20000": "--steps 2 --batch-tokens 512"}
"""What would take days is run with less of it."""

SLOW_PAGES = {
    "docs/command-line.md",
    "docs/domain-alphabet.md",
    "docs/fine-tuning.md",
    "docs/offline.md",
    "docs/operations.md",
    "docs/own-checkpoint.md",
    "docs/proteins.md",
    "docs/training.md",
}
"""They import TensorFlow several times, or start many processes: `make test-documents`."""


def runs_here(block: Block) -> bool:
    """Say whether the walk of a page runs a block, or some of its lines."""
    if (block.page, block.language) in RUN_ELSEWHERE:
        return False
    is_typed = block.language in SHELLS and any(why_not(line) is None for line in block.lines)
    return is_typed or block.language in PYTHONS


def why_not(line: str) -> str | None:
    """Return why a command is not run, or None."""
    return next((reason for part, reason in NOT_RUN.items() if part in line), None)


PAGES = [page for page in DOCUMENTS if any(map(runs_here, read_blocks(page)))]
"""The pages with something to run here."""

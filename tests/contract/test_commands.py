"""Every command that a document shows is one that there is, with options that it takes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup

from contract.documents import DOCUMENTS, ROOT, commands, read
from service.commands.cli import cli
from service.settings import Settings

SHOWN = [words for path in DOCUMENTS for words in commands(path)]
MENTIONED = [
    shown.split()
    for path in DOCUMENTS
    for shown in re.findall(r"`((?:fillmask|make|python) [^`]+)`", read(path))
]
NAMES_SETTINGS = [*DOCUMENTS, "Dockerfile", "docker-compose.yml", "Makefile"]
WALKED_ELSEWHERE = {
    **dict.fromkeys(("cp", "curl", "echo", "mkdir", "tar"), "tests/documents runs it"),
    "docker": "needs an engine for containers; tests/contract/test_deploy.py holds its files",
    "helm": "needs a cluster; tests/manifests holds the values that it gets",
    "kubectl": "needs a cluster; tests/manifests builds what it would apply",
    "npm": "make test-generated installs the same, from a lock",
    "npx": "tests/clients/generated runs it",
    "openapi-python-client": "tests/clients/generated runs it",
    "pip": "tests/contract/test_locks.py holds the locks",
    "ray": "tests/on_ray starts a cluster",
    "serve": "tests/contract/test_ray_files.py holds its files",
    "python3.11": "tests/front_door makes environments",
}


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_command_is_one_that_there_is(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its program, its options and the files of the repository that it names."""
    monkeypatch.chdir(tmp_path)
    *assigned, program = _split_assignments(words)
    arguments = words[len(assigned) + 1 :]
    for name, value in (word.split("=", 1) for word in assigned):
        monkeypatch.setenv(name, value)
    Settings()
    match Path(program).name:
        case "fillmask":
            command, rest = find_command(arguments)
            for file in _files(rest):
                file.touch()
            if isinstance(command, TyperGroup):  # its own options are answered at once
                assert set(rest) <= options_of(command)
            else:
                command.make_context(None, rest)
        case "make":
            assert arguments[0] in targets()
        case "python":
            assert find_script(arguments).exists()
        case name:
            assert WALKED_ELSEWHERE[name]


@pytest.mark.parametrize("words", MENTIONED, ids=" ".join)
def test_command_that_is_mentioned_is_one_that_there_is(words: list[str]) -> None:
    """In a sentence it need not be whole."""
    program, *arguments = words
    if program == "fillmask":
        command, rest = find_command(arguments)
        named = {word for word in rest if word.startswith("--")}
        assert named <= options_of(command)
    elif program == "make":
        assert arguments[0] in targets()
    else:
        assert find_script(arguments).exists()


@pytest.mark.parametrize("path", NAMES_SETTINGS)
def test_settings_that_are_named_are_there(path: str) -> None:
    """Nothing tells anybody to set a variable that changes nothing."""
    named = set(re.findall(r"\bFILLMASK_[A-Z_]*[A-Z]\b", read(path)))
    # Compose hands its own key on.
    assert named <= {f"FILLMASK_{name.upper()}" for name in Settings.model_fields} | {
        "FILLMASK_API_KEY"
    }


def sections() -> dict[str, str]:
    """Return what the page of commands says of each."""
    titled = re.split(r"^## fillmask (.+)$", read("docs/command-line.md"), flags=re.MULTILINE)
    return dict(zip(titled[1::2], titled[2::2], strict=True))


def list_commands(command: Any = cli, words: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with its name."""
    for name, each in command.commands.items():
        whole = f"{words} {name}".strip()
        yield from list_commands(each, whole) if isinstance(each, TyperGroup) else [(whole, each)]


def test_every_command_has_its_section() -> None:
    """And there is no other one."""
    assert sorted(sections()) == sorted(name for name, _ in list_commands())


@pytest.mark.parametrize(("name", "command"), [*list_commands()], ids=str)
def test_every_option_stands_in_the_section_of_its_command(name: str, command: Any) -> None:
    """With an example that runs it."""
    section = sections()[name]
    named = set(re.findall(r"--[a-z][a-z-]*", section))
    options = {word for each in command.params for word in each.opts if word.startswith("--")}
    assert options <= named
    assert re.search(rf"```sh\n(?:.*\n)*?.*fillmask {name}", section)


def options_of(command: Any) -> set[str]:
    """Return the options that a command takes."""
    return {name for option in command.params for name in option.opts} | {"--help"}


def find_command(arguments: list[str]) -> tuple[Any, list[str]]:
    """Return the command that `fillmask` runs, and the words that are left for it."""
    command: Any = cli
    while isinstance(command, TyperGroup) and arguments and not arguments[0].startswith("--"):
        name, *arguments = arguments
        command = command.commands[name]
    return command, arguments


def targets() -> set[str]:
    """Return what can be made."""
    return set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))


def find_script(arguments: list[str]) -> Path:
    """Return the file of the repository that a Python is told to run."""
    if arguments[:2] == ["-m", "pytest"]:
        return ROOT / arguments[-1]
    if arguments[0] == "-m":
        module = ROOT / arguments[1].replace(".", "/")
        return module if module.is_dir() else module.with_suffix(".py")
    return ROOT / arguments[0]


def _split_assignments(words: list[str]) -> list[str]:
    """Return the variables that are set for a command, and its program."""
    count = next(index for index, word in enumerate(words) if not re.match(r"[A-Z_]+=", word))
    return words[: count + 1]


def _files(arguments: list[str]) -> Iterator[Path]:
    return (Path(word) for word in arguments if word.endswith((".xz", ".txt", ".parquet")))

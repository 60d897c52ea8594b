"""The Dockerfile, read as Docker reads it."""

import json
import re
from dataclasses import dataclass

from contract.documents import read


@dataclass(frozen=True, slots=True)
class Stage:
    """What lies between two FROM lines.

    Attributes:
        base: the image that it begins with.
        name: what other stages call it; empty where they do not.
        instructions: the rest, each a word and what follows it on its line.
    """

    base: str
    name: str
    instructions: list[tuple[str, str]]

    def all(self, word: str) -> list[str]:
        """Return what follows a word, wherever it stands."""
        return [rest for found, rest in self.instructions if found == word]

    def one(self, word: str) -> str:
        """Return what follows a word that stands once."""
        (rest,) = self.all(word)
        return rest

    @property
    def environment(self) -> dict[str, str]:
        """The variables that it sets."""
        pairs = [pair for line in self.all("ENV") for pair in line.split()]
        return dict(pair.split("=", 1) for pair in pairs)

    @property
    def volumes(self) -> list[str]:
        """The directories that outlive a container."""
        listed: list[str] = json.loads(self.one("VOLUME"))
        return listed

    @property
    def command(self) -> list[str]:
        """What a container runs."""
        words: list[str] = json.loads(self.one("CMD"))
        return words

    @property
    def stop_signal(self) -> str:
        """The name of the signal that ends a container."""
        return (self.all("STOPSIGNAL") or ["SIGTERM"])[-1]

    @property
    def health_check(self) -> list[str]:
        """The command that tells whether a container is well."""
        words: list[str] = json.loads(self.one("HEALTHCHECK").partition("CMD")[2])
        return words


def read_stages(path: str = "Dockerfile") -> list[Stage]:
    """Return the stages of a Dockerfile; the last one is the image."""
    text = re.sub(r"^\s*#.*\n", "", read(path), flags=re.MULTILINE)
    stages: list[Stage] = []
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name.strip(), []))
        elif word:
            stages[-1].instructions.append((word, rest.strip()))
    return stages

"""What callers ask: everyday texts of mixed length, the same ones in every run."""

import random
from pathlib import Path

TOP_K = 5

_CLOZE = Path(__file__).parent / "cloze.tsv"
_PARTS = (1, 2, 3, 4)
_WEIGHTS = (25, 35, 25, 15)
"""How often a text is made of so many sentences; about 20 tokens come out on average."""

_MIX = 556
_MIX_PARTS = (1, 2, 3, 4, 5, 6)
_MIX_WEIGHTS = (25, 34, 22, 12, 5, 2)

Body = dict[str, object]


def make_sentences(count: int, seed: int = 20) -> list[str]:
    """Return texts with one mask each, made of one to four everyday sentences."""
    rng = random.Random(seed)  # noqa: S311  # nosec B311  # the same texts every time
    cloze = [line.split("\t") for line in _CLOZE.read_text("utf-8").splitlines()]
    return [_make_text(rng, cloze, rng.choices(_PARTS, _WEIGHTS)[0]) for _ in range(count)]


def make_mix() -> list[str]:
    """Return the 556 texts that ratios are measured with: 6 to 60 tokens, 19.7 on average."""
    rng = random.Random(20)  # noqa: S311  # nosec B311  # the same texts every time
    cloze = [line.split("\t") for line in _CLOZE.read_text("utf-8").splitlines()]
    counts = rng.choices(_MIX_PARTS, _MIX_WEIGHTS, k=_MIX)
    return [_make_text(rng, cloze, count) for count in counts]


def _make_text(rng: random.Random, cloze: list[list[str]], count: int) -> str:
    parts = rng.sample(cloze, count)
    masked = rng.randrange(len(parts))
    return " ".join(
        text if index == masked else text.replace("[MASK]", word)
        for index, (text, word) in enumerate(parts)
    )


def make_bodies(count: int, sentences: int) -> list[Body]:
    """Return request bodies of so many sentences each; one sentence is sent as a string."""
    texts = make_sentences(count * sentences)
    if sentences == 1:
        return [{"inputs": text, "top_k": TOP_K} for text in texts]
    return [
        {"inputs": texts[start : start + sentences], "top_k": TOP_K}
        for start in range(0, len(texts), sentences)
    ]


def make_warm_up_bodies() -> list[Body]:
    """Return bodies of every batch size a server may form, short and long texts apart.

    Whatever a server compiles or allocates for a shape is so done before it is measured.
    """
    by_length = sorted(make_sentences(256, seed=21), key=len)
    bodies: list[Body] = []
    for size in (1, 2, 4, 8, 16, 32):
        for part in range(4):
            start = part * (len(by_length) - size) // 3
            bodies.append({"inputs": by_length[start : start + size], "top_k": TOP_K})
    return bodies

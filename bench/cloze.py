"""Measure a preset on everyday and factual sentences: is the one right word first, or among five?

    python bench/cloze.py [DIRECTORY]

`cloze.tsv` holds a sentence and its word a line. It was written for this measurement and is never
trained on. The word is the usual one; others may fit as well, so no model reaches 100 %.
"""

import sys
from pathlib import Path

from model_store.engines.fill_mask import FillMaskModel
from model_store.fetching.catalog import EMBEDDED
from model_store.loading.loader import load_fill_mask_model
from model_store.text.encoding import TextLimits

HERE = Path(__file__).parent
BATCH_SIZE = 32


def main() -> None:
    """Print the figures of a preset, and what it got wrong."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else embedded()
    lines = (HERE / "cloze.tsv").read_text("utf-8").splitlines()
    items = [line.split("\t") for line in lines]
    guesses = guess(load_fill_mask_model(directory), [text for text, _ in items])
    for (text, word), words in zip(items, guesses, strict=True):
        if words[0] != word:
            print(f"{text:75} {word:14} {' '.join(words)}")
    first = sum(words[0] == word for (_, word), words in zip(items, guesses, strict=True))
    among = sum(word in words for (_, word), words in zip(items, guesses, strict=True))
    print(f"{len(items)} sentences: top-1 {first / len(items):.1%}, top-5 {among / len(items):.1%}")


def embedded() -> Path:
    """Return the files of the embedded preset."""
    return HERE.parent / "model_store" / "presets" / EMBEDDED


def guess(model: FillMaskModel, texts: list[str]) -> list[list[str]]:
    """Return five words a text."""
    words = []
    for start in range(0, len(texts), BATCH_SIZE):
        encodings = [
            model.encode(text, top_k=5, targets=None, limits=TextLimits())
            for text in texts[start : start + BATCH_SIZE]
        ]
        for encoding, scores in zip(encodings, model.predict(encodings), strict=True):
            words.append([p.token_str for p in model.decode(encoding, scores).predictions[0]])
    return words


if __name__ == "__main__":
    main()

"""Score words with Transformers, one plain text after the other, in float64, and keep that.

Run by `make golden`. The tests read `words_uncased.jsonl` and need no PyTorch. A line holds a text
and, for each mask, `[word, pieces, log_probability, [lowest rank, highest rank]]`: the log-
probability is the sum over the pieces, each where those before it are filled in and the rest is
masked. Both ranks are those of the log-probability give or take a ten-thousandth.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

sys.path.insert(0, str(Path(__file__).parent.parent))

from golden.make_golden import EMBEDDED
from golden.word_cases import PATH, WORDS

NEAR = 1e-4


def main() -> None:
    """Write the file."""
    tokenizer: Any = AutoTokenizer.from_pretrained(str(EMBEDDED))
    model: Any = AutoModelForMaskedLM.from_pretrained(str(EMBEDDED), dtype=torch.float64).eval()
    scorer = Scorer(tokenizer, model)
    with PATH.open("w", encoding="utf-8") as file:
        for text, words in WORDS.items():
            masks = [
                [scorer.score(text, mask, word) for word in words]
                for mask in range(text.count("[MASK]"))
            ]
            line = {"inputs": text, "masks": masks}
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


class Scorer:
    """Scores words at masks."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        """Use a tokenizer and a model of Transformers."""
        self._tokenizer = tokenizer
        self._model = model

    def score(self, text: str, mask: int, word: str) -> list[Any]:
        """Return a word with what the file holds of it."""
        ids = self._tokenizer(text)["input_ids"]
        mask_id = self._tokenizer.mask_token_id
        position = [place for place, token in enumerate(ids) if token == mask_id][mask]
        plain = self._distribute(ids, position)
        pieces = self._tokenizer(word, add_special_tokens=False)["input_ids"]
        total = 0.0
        for filled, piece in enumerate(pieces):
            masks = [mask_id] * (len(pieces) - filled)
            row = [*ids[:position], *pieces[:filled], *masks, *ids[position + 1 :]]
            total += float(self._distribute(row, position + filled)[piece])
        ranks = [1 + int((plain > total + near).sum()) for near in (NEAR, -NEAR)]
        return [word, self._tokenizer.convert_ids_to_tokens(pieces), round(total, 7), ranks]

    @torch.no_grad()
    def _distribute(self, ids: list[int], position: int) -> torch.Tensor:
        logits = self._model(input_ids=torch.tensor([ids])).logits[0, position]
        return torch.log_softmax(logits, dim=-1)


if __name__ == "__main__":
    main()

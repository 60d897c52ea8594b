"""Ask Transformers for its logits for pairs of texts, and keep the likeliest entries.

Run by `make golden`. The tests read `pairs.json` and need no PyTorch. Of each checkpoint it holds
pairs, the ids and segments that the tokenizer makes of them, and for each mask the ids of the five
likeliest entries and their log-probabilities.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, BertForMaskedLM

sys.path.insert(0, str(Path(__file__).parent.parent))

from golden.sentences import SENTENCES, masked_sentences
from tiny_checkpoints import write_transformers_dir

HERE = Path(__file__).parent
EMBEDDED = HERE.parents[1] / "model_store" / "presets" / "minilm_l6_en_uncased"
PAIRS = 24
TOP_K = 5


def main() -> None:
    """Write the answers of both checkpoints."""
    with tempfile.TemporaryDirectory() as directory:
        tiny = write_transformers_dir(Path(directory) / "tiny_cased")
        answers = {"uncased": answer_all(EMBEDDED), "cased": answer_all(tiny)}
    lines = [
        f"{json.dumps(name)}: [\n"
        + ",\n".join(json.dumps(pair, ensure_ascii=False, separators=(",", ":")) for pair in pairs)
        + "\n]"
        for name, pairs in answers.items()
    ]
    (HERE / "pairs.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def answer_all(directory: Path) -> list[dict[str, Any]]:
    """Return the answers for the pairs that fit: masks in the first text, the second, and both."""
    tokenizer = AutoTokenizer.from_pretrained(directory)
    model = BertForMaskedLM.from_pretrained(directory, dtype=torch.float32).eval()
    answers = []
    for text, text_pair in make_pairs():
        encoded = tokenizer(text, text_pair, return_tensors="pt")
        if encoded.input_ids.shape[1] > model.config.max_position_embeddings:
            continue
        with torch.inference_mode():
            [logits] = model(**encoded).logits
        [masks] = (encoded.input_ids[0] == tokenizer.mask_token_id).nonzero(as_tuple=True)
        likeliest = torch.log_softmax(logits[masks], dim=-1).topk(TOP_K)
        answers.append(
            {
                "text": text,
                "text_pair": text_pair,
                "token_ids": encoded.input_ids[0].tolist(),
                "segment_ids": encoded.token_type_ids[0].tolist(),
                "token_ids_of_masks": likeliest.indices.tolist(),
                "log_probabilities": [
                    [round(value, 6) for value in mask] for mask in likeliest.values.tolist()
                ],
            }
        )
    return answers[:PAIRS]


def make_pairs() -> list[tuple[str, str]]:
    """Return pairs of sentences, some of many scripts."""
    plain, masked = SENTENCES[::2], masked_sentences()[::5]
    pairs = []
    for index, (one, other) in enumerate(zip(masked, plain, strict=False)):
        both = masked[(index + 1) % len(masked)]
        pairs.append([(one, other), (other, one), (one, both)][index % 3])
    return pairs


if __name__ == "__main__":
    main()

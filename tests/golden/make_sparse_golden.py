"""Ask Transformers for its logits for a hundred texts, and keep their sparse vectors.

Run by `make golden`. The tests read `sparse.npz` and need no PyTorch. SPLADE's formula (Formal et
al., 2021): the largest log(1 + relu(logit)) of each entry over all tokens of the text, special ones
included. The vectors of a model that was not trained for it are long: of each, the largest entries
are kept, the number of all, and their sum.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, BertForMaskedLM

sys.path.insert(0, str(Path(__file__).parent.parent))

from golden.sentences import masked_sentences

HERE = Path(__file__).parent
EMBEDDED = HERE.parents[1] / "model_store" / "presets" / "minilm_l6_en_uncased"
TEXTS = 100
KEPT = 64


def main() -> None:
    """Write the vectors of the embedded preset."""
    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED)
    model = BertForMaskedLM.from_pretrained(EMBEDDED, dtype=torch.float32).eval()
    ids, values, counts, sums = [], [], [], []
    for text in masked_sentences()[: 2 * TEXTS : 2]:
        with torch.inference_mode():
            [logits] = model(**tokenizer(text, return_tensors="pt")).logits
        vector = torch.log1p(torch.relu(logits)).amax(dim=0)
        largest = vector.topk(KEPT)
        ids.append(largest.indices.tolist())
        values.append(largest.values.tolist())
        counts.append(int((vector > 0).sum()))
        sums.append(float(vector.sum(dtype=torch.float64)))
    print(len(ids), min(counts), max(counts))  # noqa: T201
    np.savez_compressed(
        HERE / "sparse.npz",
        token_ids=np.array(ids, np.int32),
        values=np.array(values, np.float32),
        counts=np.array(counts, np.int32),
        sums=np.array(sums),
    )


if __name__ == "__main__":
    main()

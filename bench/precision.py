"""What precisions cost: first predictions kept, and the largest error of a probability.

    python -m bench.precision [DIRECTORY]

Every engine and precision that this machine has is held against TensorFlow in float32, on the
masked sample that `FILLMASK_PRECISION=auto` is decided on.
"""

import sys
from pathlib import Path

import numpy as np

from bench.cloze import embedded
from model_store.engines import EngineName, EngineOptions, Precision
from model_store.engines.fill_mask import FillMaskModel
from model_store.errors import ModelLoadError
from model_store.loading.converted_models import DEFAULT_CACHE
from model_store.loading.loader import load_fill_mask_model
from model_store.loading.proving.head_proof_file import read_texts
from model_store.loading.proving.masked_sample import make_sample
from model_store.text.encoding import Encoding

CANDIDATES: tuple[tuple[EngineName, Precision], ...] = (
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
    ("openvino", "float16"),
    ("tensorflow", "bfloat16"),
    ("tensorflow", "float16"),
)
BATCH_SIZE = 32


def main() -> None:
    """Print a row for each engine and precision."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else embedded()
    reference = load(directory, "tensorflow", "float32")
    sample = make_sample(reference, read_texts(directory))
    expected = score_vocabulary(reference, sample)
    print(f"{len(sample)} masks")
    for engine, precision in CANDIDATES:
        try:
            found = score_vocabulary(load(directory, engine, precision), sample)
        except ModelLoadError as error:
            print(f"{engine} {precision}: {error}")
            continue
        agreement = np.mean(found.argmax(axis=1) == expected.argmax(axis=1))
        largest = np.abs(found - expected).max()
        print(f"{engine} {precision}: {agreement:.2%} kept, largest error {largest:.1e}")


def load(directory: Path, engine: EngineName, precision: Precision) -> FillMaskModel:
    """Load a model with an engine in a precision."""
    return load_fill_mask_model(directory, EngineOptions(engine, precision, DEFAULT_CACHE))


def score_vocabulary(model: FillMaskModel, sample: list[Encoding]) -> np.ndarray:
    """Return the probability of every entry of the vocabulary, `[masks, vocabulary_size]`."""
    size = model.facts.vocabulary_size
    everything = np.arange(size, dtype=np.int32)
    rows = []
    for start in range(0, len(sample), BATCH_SIZE):
        texts = [
            Encoding("", text.token_ids, text.mask_positions, text.mask_spans, everything, size)
            for text in sample[start : start + BATCH_SIZE]
        ]
        for (mask,) in model.predict(texts):
            row = np.empty(size)
            row[mask.token_ids] = np.exp(mask.log_probabilities.astype(np.float64))
            rows.append(row)
    return np.array(rows)


if __name__ == "__main__":
    main()

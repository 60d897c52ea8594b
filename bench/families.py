"""Encoders of three families with as many products a token, and how many tokens a second each does.

    python -m bench.families [--engine openvino] [--precision bfloat16]

All have the sizes of BERT base and its vocabulary. ModernBERT's feed-forward has three matrices in
place of two, so it is 2,048 wide in place of 3,072. Weights are random: time does not depend on
them. What differs is what the families add: rotation, local attention, gates, norms before.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import cast

import numpy as np

from bench.machine import describe_load, describe_machine
from bench.shapes import BASE, make_variables
from model_store.checkpoints import Checkpoint
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.engines import Engine, Precision
from model_store.engines.batches.batch import Batch, collate
from model_store.text.encoding import Encoding

_BERT = BASE.make_config()
_MODERNBERT = replace(
    _BERT,
    family="modernbert",
    intermediate_dim=2 * BASE.intermediate_dim // 3,
    num_segments=0,
    learned_positions=False,
    norm_first=True,
    first_attention_norm=False,
    final_norm=True,
    attention_bias=False,
    feedforward_bias=False,
    norm_bias=False,
    transform_bias=False,
    is_gated=True,
    rotary_base=160_000.0,
    local_layers=tuple(layer for layer in range(BASE.num_layers) if layer % 3),
    local_rotary_base=10_000.0,
)
_FAMILIES = {
    "BERT": _BERT,
    "RoBERTa": replace(_BERT, family="roberta", num_segments=1),
    "ModernBERT": _MODERNBERT,
}
_BATCHES = ((1, 16), (8, 16), (32, 16), (8, 128), (4, 512))
"""Texts, and tokens of each."""
_ROUNDS = 25
_WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def make_engine(config: EncoderConfig, name: str, precision: Precision) -> Engine:
    """Return an engine with random weights."""
    from model_store.engines.openvino import OpenVINOEngine  # noqa: PLC0415  # only where asked for
    from model_store.engines.openvino_conversion.conversion import write_graph  # noqa: PLC0415
    from model_store.loading.keras_loader import find_engine  # noqa: PLC0415
    from model_store.masked_lm.families import MaskedLM  # noqa: PLC0415

    checkpoint = Checkpoint(config, build_word_piece(list(_WORDS)), make_variables(config))
    if name != "openvino":
        model = MaskedLM.from_checkpoint(checkpoint, dtype=precision)
        return cast("Engine", find_engine(name)(model))
    with TemporaryDirectory() as folder:
        write_graph(MaskedLM.from_checkpoint(checkpoint), Path(folder))
        return OpenVINOEngine(Path(folder) / "model.xml", precision)


def make_batch(engine: Engine, texts: int, tokens: int) -> Batch:
    """Return texts of so many tokens, with a mask in each."""
    ids = np.random.default_rng(1).integers(5, BASE.vocabulary_size, (texts, tokens), np.int32)
    masks = np.array([tokens // 2])
    return collate([Encoding("", row, masks, ((0, 0),), None, 5) for row in ids], engine.shapes)


def measure(engines: Sequence[Engine], texts: int, tokens: int) -> list[float]:
    """Return the median seconds of each engine, which take turns."""
    batches = [make_batch(engine, texts, tokens) for engine in engines]
    seconds: list[list[float]] = [[] for _ in engines]
    for number in range(_ROUNDS + 2):
        for engine, batch, seen in zip(engines, batches, seconds, strict=True):
            started = perf_counter()
            engine.run(batch, 5)
            if number > 1:
                seen.append(perf_counter() - started)
    return [median(seen) for seen in seconds]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="openvino")
    parser.add_argument("--precision", default="bfloat16")
    arguments = parser.parse_args()
    precision = cast("Precision", arguments.precision)
    engines = [make_engine(config, arguments.engine, precision) for config in _FAMILIES.values()]
    print(f"{describe_machine()} {arguments.engine}, {precision}. Load {describe_load()}.\n")
    print(f"| texts of tokens | {' | '.join(f'{name}, tokens/s' for name in _FAMILIES)} |")
    print("| ---: |" + " ---: |" * len(_FAMILIES))
    for texts, tokens in _BATCHES:
        bert, *others = (texts * tokens / each for each in measure(engines, texts, tokens))
        cells = [f"{bert:,.0f}", *(f"{each:,.0f} ({each / bert:.2f})" for each in others)]
        print(f"| {texts} of {tokens} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

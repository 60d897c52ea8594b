"""One engine in a process of its own, so that the thread pools of engines do not meet.

It reads a command a line from its input and writes an answer a line: JSON both. A process waits
asleep while others are measured, so engines can take turns.

    {"do": "batch", "rows": 32, "length": 128, "seconds": 1.0}   -> {"seconds": [0.8, 0.9]}
    {"do": "sentences", "count": 64, "rows": 32}                 -> {"seconds": [1.7], "tokens": ..}
    {"do": "peak", "precision": "float32", "size": 2048}         -> {"seconds": [0.3]}
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bench.machine_peak import UnsupportedPrecisionError, make_product
from bench.sentences import TOP_K, make_sentences
from model_store.text.encoding import Encoding, TextLimits

if TYPE_CHECKING:
    from model_store.engines import EngineName, Precision

_WORDS = "the man went to his house and she saw a big dog in that old city by day or night"
_SLOW_SECONDS = 1.0
"""A first run compiles, a second one fills what that left; a run this slow needs no second."""


class FillmaskEngine:
    """The engine of this repository, through the interface that the service uses."""

    def __init__(self, directory: Path, engine: str, precision: str) -> None:
        """Load the preset."""
        self._model = _load_model(directory, engine, precision)

    def run_batch(self, texts: list[str]) -> Callable[[], object]:
        """Return a call that scores texts of any length."""
        encodings = self.encode(texts)
        return lambda: self._model.predict(encodings)

    def predict(self, encodings: list[Encoding]) -> object:
        """Score encodings."""
        return self._model.predict(encodings)

    def encode(self, texts: list[str]) -> list[Encoding]:
        """Tokenize texts."""
        return [
            self._model.encode(text, top_k=TOP_K, targets=None, limits=TextLimits())
            for text in texts
        ]


class UntunedEngine(FillmaskEngine):
    """The same without what a load measures: on a compiling engine that takes minutes."""

    def __init__(self, directory: Path, engine: str, precision: str) -> None:
        """Load the preset on an engine of Keras."""
        os.environ["KERAS_BACKEND"] = engine
        from model_store.checkpoints import read_checkpoint  # noqa: PLC0415  # after the backend
        from model_store.loading.keras_loader import find_engine, make_model  # noqa: PLC0415

        chosen = cast("Precision", precision)
        self._model = make_model(read_checkpoint(directory), find_engine(engine), chosen)


class PeerEngine:
    """A peer that takes token ids; they come from the same tokenizer for all."""

    def __init__(self, directory: Path, name: str, precision: str) -> None:
        """Load the model."""
        from tokenizers import Tokenizer  # noqa: PLC0415

        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._peer = _load_peer(directory, name, precision)

    def run_batch(self, texts: list[str]) -> Callable[[], object]:
        """Return a call that scores texts of one length."""
        token_ids = np.array([self._tokenizer.encode(text).ids for text in texts], np.int64)
        mask = self._tokenizer.token_to_id("[MASK]")
        positions = np.argmax(token_ids == mask, axis=1)
        return lambda: self._peer.run(token_ids, positions, TOP_K)


def _load_model(directory: Path, engine: str, precision: str) -> Any:
    """Load with one engine and precision."""
    if engine != "openvino":
        os.environ["KERAS_BACKEND"] = engine
    from model_store.engines import EngineOptions  # noqa: PLC0415
    from model_store.errors import ModelLoadError  # noqa: PLC0415
    from model_store.loading.converted_models import DEFAULT_CACHE  # noqa: PLC0415  # after the backend
    from model_store.loading.loader import load_fill_mask_model  # noqa: PLC0415

    name, wanted = cast("EngineName", engine), cast("Precision", precision)
    try:
        return load_fill_mask_model(directory, EngineOptions(name, wanted, DEFAULT_CACHE))
    except ModelLoadError as error:
        raise UnsupportedPrecisionError(str(error)) from error


def _load_peer(directory: Path, name: str, precision: str) -> Any:
    if name == "onnxruntime":
        from bench.peers.onnx_engine import OnnxEngine  # noqa: PLC0415

        return OnnxEngine(directory)
    from bench.peers.transformers_engine import TransformersEngine  # noqa: PLC0415

    return TransformersEngine(directory, precision)


def _load_engine(directory: Path, owner: str, name: str, precision: str) -> Any:
    """Load an engine; the owner `peak` has none, and only measures the library's products."""
    if owner == "peak":
        return None
    kinds = {"fillmask": FillmaskEngine, "untuned": UntunedEngine}
    return kinds.get(owner, PeerEngine)(directory, name, precision)


def make_text(length: int, seed: int) -> str:
    """Return a text of exactly so many tokens, one of them a mask; its words are one token each."""
    words = np.random.default_rng(seed).choice(_WORDS.split(), length - 2).tolist()
    words[(length - 2) // 2] = "[MASK]"
    return " ".join(words)


def _time(call: Callable[[], object], seconds: float) -> list[float]:
    """Return how long calls took, one at least, until so many seconds are over."""
    times: list[float] = []
    while not times or sum(times) < seconds:
        started = perf_counter()
        call()
        times.append(perf_counter() - started)
    return times


class Worker:
    """Carries commands out."""

    def __init__(self, engine: Any, library: str) -> None:
        """Measure one engine, and the products of its library."""
        self._engine = engine
        self._library = library
        self._calls: dict[tuple[Any, ...], Callable[[], object]] = {}

    def batch(self, rows: int, length: int, seconds: float) -> dict[str, Any]:
        """Time a batch of texts of one length."""
        texts = [make_text(length, seed) for seed in range(rows)]
        call = self._warm(("batch", rows, length), lambda: self._engine.run_batch(texts))
        return {"seconds": _time(call, seconds)}

    def sentences(self, count: int, rows: int) -> dict[str, Any]:
        """Time the sentences that callers send, so many in a batch, in the order they come."""
        encodings = self._engine.encode(make_sentences(count))
        batches = [encodings[start : start + rows] for start in range(0, count, rows)]

        def run_all() -> None:
            for batch in batches:
                self._engine.predict(batch)

        call = self._warm(("sentences", count, rows), lambda: run_all)
        return {"seconds": _time(call, 0), "tokens": sum(len(e.token_ids) for e in encodings)}

    def peak(self, precision: str, size: int) -> dict[str, Any]:
        """Time the library's large product."""
        try:
            call = self._warm(
                ("peak", precision, size), lambda: make_product(self._library, precision, size)
            )
        except UnsupportedPrecisionError as error:
            return {"unsupported": str(error)}
        return {"seconds": _time(call, 1.0)}

    def _warm(
        self, key: tuple[Any, ...], make: Callable[[], Callable[[], object]]
    ) -> Callable[[], object]:
        if key not in self._calls:
            call = make()
            if _time(call, 0)[0] < _SLOW_SECONDS:
                call()
            self._calls[key] = call
        return self._calls[key]


def main() -> None:
    """Serve commands: `python -m bench.engine_worker DIRECTORY OWNER ENGINE PRECISION`."""
    directory, owner, name, precision = sys.argv[1:]
    # Libraries print to the standard output; answers go where only they go.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        worker = Worker(_load_engine(Path(directory), owner, name, precision), name)
        ready: dict[str, Any] = {"ready": True}
    except (UnsupportedPrecisionError, ImportError) as error:
        ready = {"unsupported": str(error)}
    print(json.dumps(ready), file=answers, flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(worker, command.pop("do"))(**command)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()

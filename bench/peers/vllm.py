"""vLLM, which serves `BertForMaskedLM` as a pooling model, from an environment of its own.

It answers with the logits of the whole vocabulary for every token. The best encoding for that is
the one asked for here: bare float16 bytes, no softmax. Readers pick the mask's row.
"""

from pathlib import Path

from bench.sentences import Body
from bench.servers import Server

PROGRAM = Path(__file__).parent.parent.parent / ".venv-vllm" / "bin" / "vllm"
_COMMAND = ("serve", "{preset}", "--served-model-name", "base", "--port", "{port}")
_LITTLE_MEMORY = ("--gpu-memory-utilization", "0.1")
"""The share of this machine's memory it starts with: an encoder keeps nothing between requests."""


def _translate(body: Body) -> Body:
    return {
        "model": "base",
        "task": "token_classify",
        "input": body["inputs"],
        "use_activation": False,
        "encoding_format": "bytes_only",
        "embed_dtype": "float16",
    }


def _make_server(name: str, **settings: str) -> Server:
    return Server(
        name,
        (*_COMMAND, "--runner", "pooling", "--dtype", "bfloat16", *_LITTLE_MEMORY),
        path="/pooling",
        program=PROGRAM,
        settings=(("DO_NOT_TRACK", "1"), ("VLLM_NO_USAGE_STATS", "1"), *settings.items()),
        translate=_translate,
        reader="vllm",
    )


VLLM = _make_server("vLLM")
"""With its own defaults: one core is kept from the engine for HTTP."""

VLLM_ALL_CORES = _make_server("vLLM, all cores", VLLM_CPU_NUM_OF_RESERVED_CPU="0")
"""The engine computes with every core, as ours does."""

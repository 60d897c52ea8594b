"""MLServer with its Hugging Face runtime and adaptive batching: it is configured, not programmed.

The runtime asks for an older Transformers than the other peers, so it has an environment of its
own, whose interpreter `BENCH_MLSERVER_PYTHON` names.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

SETTINGS = {"host": "127.0.0.1", "debug": False, "metrics_endpoint": None, "parallel_workers": 1}


def main() -> None:
    """Write the settings of a server into a new directory, and become that server."""
    port = int(os.environ["PORT"])
    folder = Path(tempfile.mkdtemp(prefix="mlserver-"))
    settings = SETTINGS | {"http_port": port, "grpc_port": port + 1, "metrics_port": port + 2}
    model = {
        "name": "fill-mask",
        "implementation": "mlserver_huggingface.HuggingFaceRuntime",
        "max_batch_size": 32,
        "max_batch_time": 0.005,
        "parameters": {"extra": {"task": "fill-mask", "pretrained_model": os.environ["MODEL_DIR"]}},
    }
    (folder / "settings.json").write_text(json.dumps(settings), "utf-8")
    (folder / "model-settings.json").write_text(json.dumps(model), "utf-8")
    program = str(Path(sys.executable).parent / "mlserver")
    os.execv(program, [program, "start", str(folder)])  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main()

"""A place without TensorFlow: an environment for processes in which `import tensorflow` fails."""

import os
from pathlib import Path


def hide_tensorflow(place: Path, backend: str) -> dict[str, str]:
    """Return the environment of such a process, with Keras on another backend."""
    (place / "tensorflow.py").write_text("raise ImportError('TensorFlow is hidden')\n", "utf-8")
    # The backend may stand in `~/.keras` of whoever tests.
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("FILLMASK_")},
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join((str(place), str(Path(__file__).parent))),
    }

"""What a conversion says that fails, however it fails; and that it ends with its parent."""

import subprocess
import sys
from pathlib import Path

import pytest

from model_store.errors import EngineUnavailableError, ModelLoadError
from model_store.loading import conversion_process
from model_store.loading.conversion_process import convert_apart

BROKEN = """
import sys, types
module = types.ModuleType("model_store.engines.openvino_conversion")
def convert(directory, target):
    {}
module.convert = convert
sys.modules[module.__name__] = module
"""
WAIT = """
import sys
from model_store.loading.parent_process import end_with_stdin
end_with_stdin()
print("ready", flush=True)
import threading
threading.Event().wait()
"""
_PATIENCE_S = 240


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise MemoryError", "MemoryError"),
        (r"raise RuntimeError('basic_ios::clear\nmore')", "RuntimeError: basic_ios::clear"),
        ("raise OSError(28, 'No space left on device')", "No space left on device"),
        ("sys.exit(3)", "it ended without a reason"),
        ("import signal; signal.raise_signal(signal.SIGKILL)", "was killed; give it more memory"),
    ],
)
def test_conversion_that_fails_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, sentence: str
) -> None:
    """One sentence, whatever was raised over there."""
    monkeypatch.setattr(
        conversion_process, "_START", BROKEN.format(body) + conversion_process._START
    )
    with pytest.raises(EngineUnavailableError) as raised:
        convert_apart(tmp_path, tmp_path / "target")
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_files_that_are_no_model_are_refused_as_such(tmp_path: Path) -> None:
    """The sentence is the reader's own: no other engine could help."""
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelLoadError, match="neither Transformers' nor KerasHub's") as raised:
        convert_apart(tmp_path, tmp_path / "target")
    assert type(raised.value) is ModelLoadError


def test_process_ends_when_its_standard_input_is_closed() -> None:
    """Whoever holds the other end closes it by ending."""
    with subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-c", WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == b"ready\n"
        process.stdin.close()
        assert process.wait(_PATIENCE_S) < 0

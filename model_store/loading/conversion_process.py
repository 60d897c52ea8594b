"""A conversion in a process of its own, whose memory and whose noise go with it.

A plain command, and none of `multiprocessing`'s: that runs the script of the parent anew, which
ends badly where it is not written for it. The two talk over pipes: the child ends when its standard
input is closed, and what it cannot do it says in the last line of its standard output, as JSON.
"""

import json
import subprocess
import sys
from pathlib import Path

from model_store.errors import EngineUnavailableError, HeadMissingError, ModelLoadError
from model_store.errors.failures import describe
from model_store.loading.parent_process import end_with_stdin

_START = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from model_store.loading.conversion_process import main; main(*sys.argv[1:3])"
)
_KNOWN = {
    error.__name__: error for error in (ModelLoadError, HeadMissingError, EngineUnavailableError)
}


def convert_apart(directory: Path, target: Path) -> None:
    """Write a checkpoint into a directory as OpenVINO reads it; takes seconds.

    Raises:
        HeadMissingError: the head, or a part of it, is not in the files.
        ModelLoadError: anything else is missing, broken or does not fit together.
        EngineUnavailableError: the files are fine, and the conversion failed all the same.
    """
    # In a group of its own, so that Ctrl-C reaches the parent alone, whose end ends it.
    # Found where they are found here: what a script has put into its path counts.
    command = [sys.executable, "-P", "-c", _START, str(directory), str(target), *sys.path]
    with subprocess.Popen(  # noqa: S603  # nosec B603  # our own command
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,
    ) as process:
        # Not `communicate`, which would close the pipe that holds the child.
        said = process.stdout.read().decode() if process.stdout else ""
        process.wait()
    if process.returncode < 0:
        message = f"The conversion of {directory.name} was killed; give it more memory."
        raise EngineUnavailableError(message)
    if process.returncode:
        _raise(directory.name, said)


def main(directory: str, target: str) -> None:
    """Convert, in the process that was started for it; exit with 1 and a reason on failure."""
    end_with_stdin()
    try:
        # Keras is to be imported in this process only.
        from model_store.engines.openvino_conversion import convert  # noqa: PLC0415

        convert(Path(directory), Path(target))
    except Exception as error:  # noqa: BLE001  # Keras and what it runs on raise what they like
        name = type(error).__name__
        reason = str(error) if name in _KNOWN else describe(error)
        print("\n" + json.dumps([name, reason]))  # noqa: T201  # the other side reads it
        sys.exit(1)


def _raise(preset: str, said: str) -> None:
    try:
        name, reason = json.loads(said.splitlines()[-1])
    except (ValueError, IndexError, TypeError):
        name, reason = "", "it ended without a reason"
    if name in _KNOWN:
        raise _KNOWN[name](reason)
    message = (
        f"{preset} cannot be converted for OpenVINO ({reason}); mend that, or take an engine of "
        "Keras by FILLMASK_ENGINE, or by engine= in Python."
    )
    raise EngineUnavailableError(message)

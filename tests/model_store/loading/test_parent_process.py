"""A process ends when the one that started it is killed."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from multiprocessing.connection import Connection

import pytest

from model_store.loading.parent_process import end_with_parent, hear_interrupts

_PATIENCE_S = 240


def test_child_of_a_parent_that_was_killed_ends() -> None:
    """Though nobody tells it to: the pipe that it alone holds is closed by its end."""
    spawn = multiprocessing.get_context("spawn")
    listening, held = spawn.Pipe(duplex=False)
    parent = spawn.Process(target=start_child, args=(held,))
    parent.start()
    held.close()
    assert listening.poll(_PATIENCE_S)
    assert listening.recv() == "ready"
    os.kill(parent.pid or 0, signal.SIGKILL)
    parent.join()
    assert listening.poll(_PATIENCE_S)
    assert not _can_receive(listening)
    listening.close()


def test_process_without_a_parent_goes_on() -> None:
    """A command that a user started is bound to nobody."""
    before = set(threading.enumerate())
    end_with_parent()
    assert not set(threading.enumerate()) - before


def test_child_does_not_hear_interrupts_while_it_starts() -> None:
    """It would write a traceback. In a fresh parent: the first child brings another with it."""
    command = [sys.executable, "-c", PARENT]
    assert subprocess.run(command, timeout=_PATIENCE_S, check=False).returncode == 0  # noqa: S603


PARENT = """
import multiprocessing, signal, sys
from model_store.loading.parent_process import starting_children
spawn = multiprocessing.get_context("spawn")
child = spawn.Process(target=signal.raise_signal, args=(signal.SIGINT,))
with starting_children():
    child.start()
child.join()
sys.exit(child.exitcode or signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


def test_child_hears_interrupts_when_it_is_ready() -> None:
    """What came before is heard then."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        hear_interrupts()


def start_child(held: Connection) -> None:
    """Start a process and wait for ever."""
    child = multiprocessing.get_context("spawn").Process(target=wait, args=(held,))
    child.start()
    held.close()
    child.join()


def wait(held: Connection) -> None:
    """Wait for ever, or for as long as there is a parent."""
    end_with_parent()
    held.send("ready")
    threading.Event().wait()


def _can_receive(connection: Connection) -> bool:
    try:
        connection.recv()
    except EOFError:
        return False
    return True

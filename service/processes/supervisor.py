"""Several HTTP processes in front of one engine process, and the parent that looks after them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import TypeAlias

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from model_store.loading.parent_process import starting_children
from service.models.preset_store import create_store
from service.processes.engine_process.process import EngineProcess
from service.processes.listening import uvicorn_options
from service.settings import Settings

CreateWorkerApp: TypeAlias = Callable[[Settings, Path], FastAPI]
"""From the settings and the path of the engine process's socket."""


def serve_with_workers(
    settings: Settings, listener: socket, create_worker_app: CreateWorkerApp
) -> None:
    """Serve until a signal says otherwise; requests under way are answered then."""
    # Only this user can enter it: that is all the socket in it needs.
    with TemporaryDirectory(prefix="fillmask-") as directory:
        path = Path(directory) / "engine"
        config = uvicorn.Config(
            partial(create_worker_app, settings, path),
            factory=True,
            workers=settings.workers,
            **uvicorn_options(settings),
        )
        engine = EngineProcess(settings, create_store, path)
        try:
            Supervisor(config, [listener], engine).run()
        finally:
            engine.stop()


class Supervisor(Multiprocess):
    """uvicorn's, which replaces workers, and an engine process that it replaces as well."""

    def __init__(
        self, config: uvicorn.Config, sockets: list[socket], engine: EngineProcess
    ) -> None:
        """Look after the workers of a configuration and their engine process."""
        super().__init__(config, sockets)
        self._engine = engine

    def init_processes(self) -> None:
        """Start all; signals are heard by now."""
        self._engine.start()
        with starting_children():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        """Replace what has ended."""
        with starting_children():
            super().keep_subprocess_alive()
        self._engine.keep_alive()

    def terminate_all(self) -> None:
        """End the workers; what nobody will answer is refused meanwhile, not left waiting."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

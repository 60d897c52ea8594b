"""Who runs where: the parent, HTTP workers, the engine process, and how each of them ends.

Lives here: what runs models in this process or in another one, the listening socket, shutdown,
owned tasks, the heap. Knows models and telemetry. Does not know routes: the app is handed to it.
"""

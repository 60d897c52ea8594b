"""What is asked, and the model that answers it."""

import sys
from collections.abc import Iterable
from typing import TypeVar

from model_store.engines.fill_mask import FillMaskModel
from model_store.loading.load_news import LoadNews
from model_store.tasks import TaskRequest, drive
from service.app import request_limits
from service.commands.presets import show_progress
from service.commands.sentences import CommandError
from service.models.preset_store import create_store
from service.settings import Settings
from service.telemetry.terminal import Terminal

Answer = TypeVar("Answer")


def read_texts(words: Iterable[str]) -> list[str]:
    """Return texts as they were typed; `-` stands for the lines of the standard input.

    Raises:
        CommandError: one is no text, or there is none.
    """
    try:
        texts = [text for word in words for text in (_read_lines() if word == "-" else [word])]
        for text in texts:
            text.encode()
    except UnicodeError:
        message = "A text is not in UTF-8; convert it, or write it anew."
        raise CommandError(message) from None
    if not texts:
        message = "The standard input has no text; write one a line."
        raise CommandError(message)
    return texts


def ask(request: TaskRequest[Answer], preset: str, settings: Settings) -> Answer:
    """Load a preset and return its answer.

    Raises:
        ModelStoreError: the preset cannot be had, or the request cannot be answered.
    """
    limits = request_limits(settings).task
    request.check(limits)
    model = load(preset, settings)
    task = request.start(model, limits)
    return drive(task, model.predict, settings.max_batch_tokens or model.facts.batch_tokens)


def load(preset: str, settings: Settings) -> FillMaskModel:
    """Return a model, fetched if its files are not here; a terminal shows what takes long."""
    store = create_store(settings)
    with show_progress(preset) as progress:
        store.fetch(preset, progress)
    terminal = Terminal()

    def tell(news: LoadNews) -> None:
        if news.is_trouble:
            terminal.clear()
            sys.stderr.write(f"{news.sentence}\n")
        terminal.show(news.sentence)

    terminal.show(f"{preset} is loaded")
    try:
        return store.load(preset, tell)
    finally:
        terminal.clear()


def _read_lines() -> list[str]:
    return [line.rstrip("\r\n") for line in sys.stdin if line.strip()]

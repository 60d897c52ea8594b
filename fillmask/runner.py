"""Runs tasks on one model, for whichever thread asks."""

import threading
from collections.abc import Sequence

from fillmask.limits import UNLIMITED
from model_store.engines.fill_mask import FillMaskModel
from model_store.tasks import TaskRequest, drive
from model_store.tasks.task import Answer
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores


class Runner:
    """A model, and whose turn it is: threads tokenize side by side, and take turns at the engine.

    Attributes:
        model: what answers.
        turn: held while the engine runs.
    """

    def __init__(self, model: FillMaskModel) -> None:
        """Take a model that nobody else uses."""
        self.model = model
        self.turn = threading.Lock()

    def run(self, request: TaskRequest[Answer]) -> Answer:
        """Return the answer to a request.

        Raises:
            InputError: a text cannot be used.
            InferenceError: the engine failed.
        """
        request.check(UNLIMITED)
        task = request.start(self.model, UNLIMITED)
        return drive(task, self._predict, self.model.facts.batch_tokens)

    def _predict(self, encodings: Sequence[Encoding]) -> list[list[MaskScores]]:
        batch = self.model.collate(encodings)
        with self.turn:
            return self.model.predict(encodings, batch)

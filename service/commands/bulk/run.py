"""A run: rows become tasks, the tasks of many rows share batches, and their answers become lines.

While the engine's thread works on one batch, this one tokenizes the next ones and writes what came
before. No more than a few batches of rows are in memory.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from model_store.engines.fill_mask import FillMaskModel
from model_store.errors import InputError
from model_store.tasks import Done, Results, Round, Task, TaskLimits, advance, cut
from model_store.text.encoding import Encoding
from model_store.text.filled_text import MaskScores
from service.commands.bulk.blocks import Block
from service.commands.bulk.output import Output
from service.commands.bulk.rows import Format, Row, make_row
from service.errors.exceptions import PayloadTooLargeError, PresetUnusableError
from service.routes.bulk.line_request import write_error
from service.routes.fill_mask.call import FillMaskCall, read_call

_AHEAD = 2
"""How many batches wait for the engine, so that it never does."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What a run is held to.

    Attributes:
        task: how much a row may ask for.
        batch_size: the most texts in one batch.
        batch_tokens: the most tokens.
        row_bytes: how long a row may be.
    """

    task: TaskLimits
    batch_size: int
    batch_tokens: int
    row_bytes: int


class Run:
    """Answers rows with one model."""

    def __init__(
        self,
        preset: str,
        model: FillMaskModel,
        form: Format,
        limits: RunLimits,
        top_k: int | None = None,
    ) -> None:
        """Take a model; `top_k` is for rows that do not say how many predictions they want."""
        self._preset = preset
        self._model = model
        self._form = form
        self._limits = limits
        self._top_k = top_k

    def answer(
        self, blocks: Iterable[Block], output: Output, tell: Callable[[int], object]
    ) -> None:
        """Write a line for each row, in order; tell how many at a time.

        Raises:
            InferenceError: the engine failed; what was written is good.
        """
        under_way: deque[Future[list[_Answering]]] = deque()
        with ThreadPoolExecutor(1, thread_name_prefix="engine") as engine:
            for block in blocks:
                for batch in self.gather(block):
                    under_way.append(engine.submit(self._finish, batch))
                    if len(under_way) > _AHEAD:
                        tell(self._write(under_way.popleft().result(), output))
            while under_way:
                tell(self._write(under_way.popleft().result(), output))

    def gather(self, block: Block) -> Iterator[list["_Answering"]]:
        """Yield rows, begun, as many as fill a batch."""
        batch: list[_Answering] = []
        texts = tokens = 0
        for number, content in enumerate(block.contents, block.first + 1):
            begun = self._begin(number, make_row(content, self._form, self._limits.row_bytes))
            size = sum(len(encoding.token_ids) for encoding in begun.round)
            texts += len(begun.round)
            tokens += size
            is_full = texts > self._limits.batch_size or tokens > self._limits.batch_tokens
            # Rows that failed fill nothing, and must not pile up.
            if batch and (is_full or len(batch) >= self._limits.batch_size):
                yield batch
                batch, texts, tokens = [], len(begun.round), size
            batch.append(begun)
        yield batch

    def _begin(self, number: int, row: Row) -> "_Answering":
        begun = _Answering(number, row)
        try:
            begun.start(self._read(row), self._model, self._limits.task)
        except (InputError, ValidationError, PresetUnusableError, PayloadTooLargeError) as error:
            begun.error = error
        return begun

    def _read(self, row: Row) -> FillMaskCall:
        body = row.read()
        if body.preset not in (None, self._preset):
            message = f"The row names another preset; leave it out, or run it on {body.preset}."
            raise PresetUnusableError(message)
        if body.top_k is None and body.targets is None:
            body.top_k = self._top_k
        return read_call(body)

    def _finish(self, batch: list["_Answering"]) -> list["_Answering"]:
        """Take tasks to their ends; the rounds of all of them share batches."""
        while open_ := [each for each in batch if each.round]:
            encodings = [encoding for each in open_ for encoding in each.round]
            results = iter(self._predict(encodings))
            for each in open_:
                each.go_on(list(islice(results, len(each.round))))
        return batch

    def _predict(self, encodings: Sequence[Encoding]) -> list[list[MaskScores]]:
        parts = cut(encodings, self._limits.batch_tokens, self._limits.batch_size)
        return [scores for part in parts for scores in self._model.predict(part)]

    def _write(self, batch: Sequence["_Answering"], output: Output) -> int:
        lines, failed = [], []
        for each in batch:
            if each.error is None:
                lines.append(to_json(each.write(self._preset)) + b"\n")
                continue
            told = write_error(each.error, each.number)
            lines.append(to_json(told) + b"\n")
            failed.append(to_json(told | {"row": _show(each.row.content)}) + b"\n")
        output.write(lines, failed)
        return len(lines)


class _Answering:
    """A row on its way to its answer, or to its error."""

    def __init__(self, number: int, row: Row) -> None:
        self.number = number
        self.row = row
        self.round: Round = ()
        self.error: Exception | None = None
        self._call: FillMaskCall
        self._task: Task[list[Any]]
        self._answer: list[Any]

    def start(self, call: FillMaskCall, model: FillMaskModel, limits: TaskLimits) -> None:
        call.request.check(limits)
        self._call = call
        self._task = call.request.start(model, limits)
        self._take(advance(self._task))

    def go_on(self, results: Results) -> None:
        self._take(advance(self._task, results))

    def write(self, preset: str) -> dict[str, Any]:
        return self._call.write(preset, self._answer)

    def _take(self, step: Round | Done[list[Any]]) -> None:
        if isinstance(step, Done):
            self.round, self._answer = (), step.answer
        else:
            self.round = step


def _show(content: bytes | None) -> str | None:
    """Return what stood in a row, as far as it is text."""
    return None if content is None else content.decode("utf-8", "replace")

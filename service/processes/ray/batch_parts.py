"""Large batches, cut so that several replicas share them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from service.processes.engine_process.text_frames import Text
from service.settings import Settings

_PART_TOKENS = 8192
"""Far more than an engine needs to run at its best, where the settings do not say."""

_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class PartLimits:
    """How much of one request goes to one replica, in texts and in tokens."""

    max_texts: int
    max_tokens: int

    @classmethod
    def of(cls, settings: Settings) -> "PartLimits":
        """Let a part be one batch of a replica."""
        return cls(settings.max_batch_size, settings.max_batch_tokens or _PART_TOKENS)


def cut_batch(texts: Sequence[Text], limits: PartLimits) -> list[list[Text]]:
    """Return texts in order, in parts within the limits; a longer text is a part by itself.

    The parts are as few as can be, and alike in number: they run at the same time.
    """
    parts = list(_cut(texts, limits))
    return list(_cut(texts, replace(limits, max_texts=ceil(len(texts) / len(parts)))))


def _cut(texts: Sequence[Text], limits: PartLimits) -> Iterator[list[Text]]:
    part: list[Text] = []
    tokens = 0
    for text in texts:
        length = len(text.token_ids) // _ID_BYTES
        if part and (len(part) == limits.max_texts or tokens + length > limits.max_tokens):
            yield part
            part, tokens = [], 0
        part.append(text)
        tokens += length
    yield part

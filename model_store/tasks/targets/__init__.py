"""Words that a caller proposes for masks, scored as whole words.

Lives here: the task, what it knows of a text on its way, and the rows that words of several pieces
take. Knows encodings and the codec. Does not know engines, queues or HTTP.
"""

from model_store.tasks.targets.request import TargetsOfText, TargetsRequest

__all__ = ["TargetsOfText", "TargetsRequest"]

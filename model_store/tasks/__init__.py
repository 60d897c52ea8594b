"""What can be asked of a mask.

Lives here: tasks, one a file. A task is a plain generator: it yields encodings to score, is sent
their scores, and returns its answer. Knows encodings and the codec. Does not know engines, queues
or HTTP, so that a table of scores is all that its tests need.
"""

from model_store.tasks.limits import TaskLimits
from model_store.tasks.task import Done, Results, Round, Task, TaskRequest, advance, cut, drive

__all__ = [
    "Done",
    "Results",
    "Round",
    "Task",
    "TaskLimits",
    "TaskRequest",
    "advance",
    "cut",
    "drive",
]

"""How much one call may ask for."""

import sys

from model_store.tasks import TaskLimits
from model_store.text.encoding import TextLimits

UNLIMITED = TaskLimits(
    max_inputs=sys.maxsize,
    max_top_k=sys.maxsize,
    max_targets=sys.maxsize,
    max_predictions=sys.maxsize,
    max_answer_characters=sys.maxsize,
    max_beam_width=sys.maxsize,
    max_rows=sys.maxsize,
    max_sparse_values=sys.maxsize,
    max_listed_tokens=sys.maxsize,
    text=TextLimits(max_characters=sys.maxsize, max_masks=sys.maxsize),
)
"""Who calls is who pays: only the model itself sets limits."""

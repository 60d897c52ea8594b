"""What can be asked of scored positions that needs the whole vocabulary.

The engine's thread answers, and only the answers leave it. Without a question, an `Encoding` asks
for the likeliest entries or for those of some targets.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ranked:
    """How likely targets are, and how many entries are likelier.

    Answered by one `MaskScores` a position, of all targets in their order, with `ranks` and
    `threshold_ranks`.

    Attributes:
        target_ids: `[targets]` int32.
        thresholds: log-probabilities whose ranks are wanted too, float32: `[thresholds]` for every
            position, or `[positions, thresholds]`.
    """

    target_ids: NDArray[np.int32]
    thresholds: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Filtered:
    """The likeliest of the entries that a filter keeps.

    Answered by one `MaskScores` a position, with `entropy` and `removed`. Scores are not
    renormalised.

    Attributes:
        top_k: how many at most, at least 1.
        whole_words: whether to leave out `##pieces`, special tokens and `[unused]` ones.
        alphabetic: whether to leave out what is not of letters only, special tokens among it.
        excluded_ids: `[excluded]` int32, entries to leave out.
        min_score: the least probability; what is less likely is cut off after the filter, and
            does not count as removed.
    """

    top_k: int
    whole_words: bool
    alphabetic: bool
    excluded_ids: NDArray[np.int32]
    min_score: float = 0.0


@dataclass(frozen=True, slots=True)
class Sparse:
    """One vector for all positions together: the largest log(1 + relu(logit)) of each entry.

    That is SPLADE's (Formal et al., 2021, with the maximum of its second version). Answered by one
    `MaskScores` with a `vector`.

    Attributes:
        top_k: how many of the largest to return; None for all that are above zero.
    """

    top_k: int | None = None


Question: TypeAlias = Ranked | Filtered | Sparse

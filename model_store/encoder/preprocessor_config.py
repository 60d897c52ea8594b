"""How texts become masked rows, whatever file it came from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PreprocessorConfig:
    """The settings of a masked-LM preprocessor, under KerasHub's names.

    Attributes:
        sequence_length: the length of every row, in tokens.
        truncate: `round_robin` or `waterfall`: which segment is cut where two do not fit.
        mask_selection_rate: how likely a token is selected, 0 to 1.
        mask_selection_length: the most masks a row, and the width of their arrays.
        mask_token_rate: how many of the selected tokens become `[MASK]`, 0 to 1.
        random_token_rate: how many become a random token; the rest stay as they are.
    """

    sequence_length: int = 512
    truncate: str = "round_robin"
    mask_selection_rate: float = 0.15
    mask_selection_length: int = 96
    mask_token_rate: float = 0.8
    random_token_rate: float = 0.1

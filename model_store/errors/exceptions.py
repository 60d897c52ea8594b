"""What can go wrong between a preset name, a text and an answer.

    ModelStoreError
    ├── PresetNotFoundError        no preset has that name
    ├── PresetUnavailableError     the name is known, its files are not here
    ├── ModelLoadError             the files are here, but are no model we can run
    │   ├── HeadMissingError       ... because they hold no masked-LM head
    │   ├── HeadUnprovenError      ... because the head that they hold is no better than chance
    │   └── EngineUnavailableError ... because the engine is not here, or fails on them
    ├── InferenceError             the engine gave no usable answer
    └── InputError                 the caller's text or targets cannot be used
        ├── EmptyTextError
        ├── MaskNotFoundError
        ├── UnexpectedMaskError    ... because it holds a mask where there is to be none
        ├── TooManyMasksError
        ├── TextTooLongError
        ├── TextPairError          ... because the model reads no two texts together
        ├── DistantMasksError      ... because masks to fill together lie too far apart
        ├── UnknownTargetError
        ├── RequestLimitError      ... because more is asked for than one answer may hold
        └── TargetsMismatchError   ... because there is not one list of targets an input or mask

The message of each is one sentence that says what to do.
"""

import reprlib
from typing import Literal


class ModelStoreError(Exception):
    """Base of everything this library raises on purpose."""


class PresetNotFoundError(ModelStoreError):
    """No preset has that name."""


class PresetUnavailableError(ModelStoreError):
    """The preset is known, but its files cannot be had."""


class ModelLoadError(ModelStoreError):
    """The files of a preset cannot be made into a model."""


class HeadMissingError(ModelLoadError):
    """A checkpoint without the weights of a masked-LM head."""


class HeadUnprovenError(ModelLoadError):
    """A head that was loaded and fills masks no better than chance would, or cannot be tested."""

    def __init__(self, log_probability: float | None = None, uniform: float | None = None) -> None:
        """Give both mean log-probabilities in nats, or neither where no text could be read."""
        if log_probability is None or uniform is None:
            super().__init__(
                "No built-in text is in the language of this model, so its head is unproven; "
                "put a short text that it should know into probe.txt beside its files."
            )
            return
        super().__init__(
            f"The masked-LM head is no better than chance (mean log-probability "
            f"{log_probability:.2f}, uniform {uniform:.2f}); use a trained checkpoint, or put "
            "a text in the model's language into probe.txt beside its files."
        )


class EngineUnavailableError(ModelLoadError):
    """An engine that cannot be had for a preset; another one may well run it."""


class InferenceError(ModelStoreError):
    """The engine returned something that is no probability distribution."""


class InputError(ModelStoreError):
    """A text or a target that cannot be used; nothing was computed.

    Attributes:
        input: the index of the text among those of the request, where there are several.
    """

    input: int | None = None


class EmptyTextError(InputError):
    """The text holds nothing but white space."""

    def __init__(self) -> None:
        """Say what to send."""
        super().__init__("The text is empty; send a sentence.")


class MaskNotFoundError(InputError):
    """The text holds no mask."""

    def __init__(self, mask_token: str) -> None:
        """Name the token that this model fills."""
        super().__init__(f"The text has no {mask_token}; write it where a word is missing.")


class UnexpectedMaskError(InputError):
    """The text holds a mask, and is to be scored as it is."""

    def __init__(self, mask_token: str) -> None:
        """Name the token, and the two things that can be sent."""
        super().__init__(
            f"The text has a {mask_token} where whole sentences are scored; write a word there, "
            "or a template with {} and its candidates."
        )


class TextPairError(InputError):
    """Two texts are sent to a model that has one segment only."""

    def __init__(self) -> None:
        """Say what can be sent."""
        super().__init__(
            "This model tells no second text from the first; send one text, without text_pair."
        )


class TooManyMasksError(InputError):
    """The text holds more masks than one answer may have."""

    def __init__(self, masks: int, limit: int) -> None:
        """Give both numbers."""
        super().__init__(f"The text has {masks} masks and the limit is {limit}; send fewer.")


class TextTooLongError(InputError):
    """The text does not fit the model, or is too long to be looked at."""

    def __init__(self, length: int, limit: int, unit: str) -> None:
        """Give both numbers; `unit` is what was counted, in the plural."""
        super().__init__(f"The text has {length} {unit} and the limit is {limit}; shorten it.")
        self.length = length
        self.limit = limit


class DistantMasksError(InputError):
    """Masks that are to be filled together, and that no model of this kind sees together."""

    def __init__(self, tokens: int, limit: int) -> None:
        """Give how many tokens they lie apart, both included, and how many a window has."""
        super().__init__(
            f"The masks lie {tokens} tokens apart and a window has {limit}; "
            "send the parts of the text one by one, or decode independently."
        )


class UnknownTargetError(InputError):
    """A target that is no single entry of the vocabulary."""

    def __init__(self, target: str) -> None:
        """Name the target, cut where it is long."""
        shown = target if len(target) <= 40 else f"{target[:40]}…"  # noqa: PLR2004  # one line
        super().__init__(
            f"The target {shown!r} is no single entry of the vocabulary; send one that is."
        )
        self.target = target


class RequestLimitError(InputError):
    """The request asks for more than one answer may hold."""

    def __init__(self, what: str, count: int, limit: int) -> None:
        """Say what there is too much of, and give both numbers."""
        super().__init__(
            f"The request asks for {reprlib.repr(count)} {what} and the limit is {limit}; "
            "ask for less."
        )


class TargetsMismatchError(InputError):
    """The lists of targets are not as many as the inputs, or as the masks of one of them."""

    def __init__(self, lists: int, count: int, unit: Literal["input", "mask"] = "input") -> None:
        """Give both numbers and say what to send."""
        deeper = ", in it one for each mask where these differ" if unit == "input" else ""
        super().__init__(
            f"The request has {counted(lists, 'list')} of targets for {counted(count, unit)}; send "
            f"one list for each {unit}{deeper}, or one list of strings for all."
        )


def counted(count: float, unit: str) -> str:
    """Return a number with its unit, which is given for one and ends in s for others."""
    number = f"{count:g}" if isinstance(count, float) else str(count)
    return f"{number} {unit}" + "s" * (count != 1)

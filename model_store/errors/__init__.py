"""What can go wrong.

Lives here: the exceptions, and what turns the errors of systems and runtimes into them. Knows
nothing else. Nothing below knows it: everything above may raise these.
"""

from model_store.errors.exceptions import (
    DistantMasksError,
    EmptyTextError,
    EngineUnavailableError,
    HeadMissingError,
    HeadUnprovenError,
    InferenceError,
    InputError,
    MaskNotFoundError,
    ModelLoadError,
    ModelStoreError,
    PresetNotFoundError,
    PresetUnavailableError,
    RequestLimitError,
    TargetsMismatchError,
    TextPairError,
    TextTooLongError,
    TooManyMasksError,
    UnexpectedMaskError,
    UnknownTargetError,
)

__all__ = [
    "DistantMasksError",
    "EmptyTextError",
    "EngineUnavailableError",
    "HeadMissingError",
    "HeadUnprovenError",
    "InferenceError",
    "InputError",
    "MaskNotFoundError",
    "ModelLoadError",
    "ModelStoreError",
    "PresetNotFoundError",
    "PresetUnavailableError",
    "RequestLimitError",
    "TargetsMismatchError",
    "TextPairError",
    "TextTooLongError",
    "TooManyMasksError",
    "UnexpectedMaskError",
    "UnknownTargetError",
]

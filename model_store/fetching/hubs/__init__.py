"""The hubs that checkpoints are fetched from: one file each, all with the interface of `Hub`.

Lives here: one file a hub, and what both have in common. Knows their protocols through their own
libraries. Does not know what the files are.
"""

from model_store.errors import PresetUnavailableError
from model_store.fetching.hubs.hub import Hub

KAGGLE = "kaggle://"
HUGGING_FACE = "hf://"


def is_hub_handle(handle: str) -> bool:
    """Say whether a handle is one of a hub."""
    return handle.startswith((KAGGLE, HUGGING_FACE))


def open_hub(handle: str) -> Hub:
    """Return what fetches the files of a handle; nothing is asked yet.

    The libraries of the hubs are imported here, where one is used, and not with the package.

    Raises:
        PresetUnavailableError: the handle is of no hub, or not as that hub writes them.
    """
    if handle.startswith(KAGGLE):
        from model_store.fetching.hubs.kaggle import KaggleHub  # noqa: PLC0415  # see above

        return KaggleHub(handle)
    if handle.startswith(HUGGING_FACE):
        from model_store.fetching.hubs.hugging_face import HuggingFaceHub  # noqa: PLC0415  # see above

        return HuggingFaceHub(handle)
    message = f"{handle} is no handle; write kaggle://user/model/keras/variation or hf://user/name."
    raise PresetUnavailableError(message)

"""What can go wrong between a hub and a directory.

    HubError
    ├── HubRefusalError          the hub gives nothing: another source may be tried
    │   ├── HubUnreachableError  no network, or no sensible answer
    │   ├── AccessDeniedError    401, 403
    │   └── NotOnHubError        404
    ├── BrokenTransferError      a file ended too early
    ├── WrongHashError           a file is not what the hub says it is
    └── DiskFullError            there is no room

The message of each is one sentence that says what to do. The resolver hands it on as that of a
`PresetUnavailableError`.
"""

from pathlib import Path


class HubError(Exception):
    """Base of everything that goes wrong while files are fetched."""


class HubRefusalError(HubError):
    """The hub gives nothing for a handle."""


class HubUnreachableError(HubRefusalError):
    """The hub cannot be reached, or does not answer as it should."""

    def __init__(self, handle: str, hub: str, reason: str) -> None:
        """Say why."""
        super().__init__(
            f"{hub} cannot be reached for {handle} ({reason}); "
            "check the network, or put the files in place by hand."
        )


class AccessDeniedError(HubRefusalError):
    """The hub does not show a handle to whoever asks."""

    def __init__(self, handle: str, hub: str, status: int, token: str) -> None:
        """Say where the hub's library looks for a token."""
        super().__init__(
            f"{hub} does not let you read {handle} ({status}); set {token} to a token that may."
        )


class NotOnHubError(HubRefusalError):
    """The hub has nothing under a handle."""

    def __init__(self, handle: str, hub: str) -> None:
        """Say what to check."""
        super().__init__(f"{hub} has no {handle}; check how the handle is written.")


class BrokenTransferError(HubError):
    """A file ended before its size."""

    def __init__(self, handle: str, path: str) -> None:
        """Name the file."""
        super().__init__(
            f"The transfer of {path} from {handle} broke off; pull it again to go on from there."
        )


class WrongHashError(HubError):
    """A file has the right size and the wrong content."""

    def __init__(self, handle: str, path: str) -> None:
        """Name the file."""
        super().__init__(
            f"{path} from {handle} has another hash than the hub says and was thrown away; "
            "pull it again."
        )


class DiskFullError(HubError):
    """The disk has no room."""

    def __init__(self, handle: str, directory: Path) -> None:
        """Name the directory."""
        super().__init__(f"The disk is full, {handle} does not fit; make room in {directory}.")

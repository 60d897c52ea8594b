"""Hugging Face's hub: `hf://user/name[@revision]`, through `huggingface_hub`.

The library reads its own variables: the token, the endpoint, its cache and its offline mode. What
its cache holds is taken from there. What it does not hold goes straight to where it is wanted: the
library itself starts a file anew after an interruption, and here it goes on.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils._headers import build_hf_headers

from model_store.errors import PresetUnavailableError
from model_store.fetching.hubs.errors import (
    AccessDeniedError,
    BrokenTransferError,
    HubUnreachableError,
    NotOnHubError,
)
from model_store.fetching.hubs.hub import Advance, HubFile, Listing, TransferBar

_HANDLE = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w.-]+(?:/[\w.-]+)*))?", re.ASCII)
_NAME = "Hugging Face"
_TIMEOUT_S = 30


class HuggingFaceHub:
    """Fetches the files of one repository."""

    def __init__(self, handle: str) -> None:
        """Read the handle.

        Raises:
            PresetUnavailableError: it is not as Hugging Face writes them.
        """
        match = _HANDLE.fullmatch(handle)
        if match is None:
            message = f"{handle} is no handle of {_NAME}; write hf://user/name or with @revision."
            raise PresetUnavailableError(message)
        self._handle = handle
        self._repo, self._revision = match.groups()

    def list_files(self) -> Listing:
        """Ask for the commit that the revision is now, and its files.

        Raises:
            HubError: the hub does not tell.
        """
        with self._explain():
            info = HfApi().model_info(
                self._repo, revision=self._revision, files_metadata=True, timeout=_TIMEOUT_S
            )
        if info.sha is None or not info.siblings:
            raise NotOnHubError(self._handle, _NAME)
        return Listing(info.sha, tuple(map(_read_sibling, info.siblings)))

    def download(self, revision: str, file: HubFile, target: Path, advance: Advance) -> None:
        """Fetch a file of a commit, going on where an earlier try left off.

        Raises:
            HubError: it did not come whole.
            OSError: it cannot be written.
        """
        cached = try_to_load_from_cache(self._repo, file.path, revision=revision)
        if isinstance(cached, str) and file.is_at(Path(cached)):
            shutil.copyfile(cached, target)
            advance(file.size)
            return
        with self._explain(file), target.open("ab") as content:
            http_get(
                hf_hub_url(self._repo, file.path, revision=revision),
                content,
                resume_size=content.tell(),
                # Bytes are counted and gone on from, so they must be those of the file.
                headers={**build_hf_headers(), "Accept-Encoding": "identity"},
                expected_size=file.size,
                tqdm_class=_bar_class(advance),
            )

    @contextmanager
    def _explain(self, file: HubFile | None = None) -> Iterator[None]:
        """Turn what the library raises into our own errors."""
        try:
            yield
        except OfflineModeIsEnabled:
            raise HubUnreachableError(self._handle, _NAME, "HF_HUB_OFFLINE is set") from None
        except HFValidationError as error:
            raise NotOnHubError(self._handle, _NAME) from error
        except HfHubHTTPError as error:
            raise self._explain_answer(error) from error
        except (httpx2.ConnectError, httpx2.TimeoutException, httpx2.ProxyError) as error:
            reason = str(error) or type(error).__name__
            raise HubUnreachableError(self._handle, _NAME, reason) from error
        except (httpx2.TransportError, OSError) as error:
            # An OSError with a number is the disk's; the library raises one without for the rest.
            if file is None or (isinstance(error, OSError) and error.errno is not None):
                raise
            raise BrokenTransferError(self._handle, file.path) from error

    def _explain_answer(self, error: HfHubHTTPError) -> Exception:
        status = error.response.status_code
        # To whoever may not know, the hub says 401 for what is not there.
        if isinstance(error, RepositoryNotFoundError) and not isinstance(error, GatedRepoError):
            return NotOnHubError(self._handle, _NAME)
        if status in {401, 403}:
            return AccessDeniedError(self._handle, _NAME, status, "HF_TOKEN")
        if status == 404:  # noqa: PLR2004  # not found
            return NotOnHubError(self._handle, _NAME)
        return HubUnreachableError(self._handle, _NAME, f"it answered {status}")


def _read_sibling(sibling: Any) -> HubFile:
    """Return a file of the hub's answer: large ones have a SHA-256, small ones git's name."""
    lfs = sibling.lfs
    return HubFile(
        sibling.rfilename,
        lfs.size if lfs else sibling.size or 0,
        sha256=lfs.sha256 if lfs else None,
        git_sha1=None if lfs else sibling.blob_id,
    )


def _bar_class(advance: Advance) -> Any:
    """Return what the library takes for a class of progress bars."""

    def make_bar(**_: Any) -> TransferBar:
        return TransferBar(advance)

    return make_bar

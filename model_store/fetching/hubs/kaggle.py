"""Kaggle's models: `kaggle://user/model/keras/variation[/version]`, through `kagglehub`.

The library reads its own variables: the token and its cache. It compares MD5 sums where Kaggle
sends them, and goes on with a file where an earlier try left off.
"""

import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import kagglehub
import kagglehub.clients
import requests
from kagglehub.cache import Cache, delete_from_cache
from kagglehub.clients import build_kaggle_client
from kagglehub.exceptions import DataCorruptionError
from kagglehub.handle import ModelHandle, parse_model_handle
from kagglesdk.models.types.model_api_service import (
    ApiGetModelInstanceRequest,
    ApiListModelInstanceVersionFilesRequest,
)

from model_store.errors import PresetUnavailableError
from model_store.fetching.hubs.errors import (
    AccessDeniedError,
    BrokenTransferError,
    HubUnreachableError,
    NotOnHubError,
    WrongHashError,
)
from model_store.fetching.hubs.hub import Advance, HubFile, Listing, TransferBar

_HANDLE = re.compile(r"kaggle://([\w.-]+/[\w.-]+/keras/[\w.-]+(?:/\d+)?)", re.ASCII)
_NAME = "Kaggle"
_PAGE_SIZE = 100
_TRIES = 3

_advance: ContextVar[Advance] = ContextVar("advance", default=lambda _: None)


def _make_bar(*_: Any, **__: Any) -> TransferBar:
    return TransferBar(_advance.get())


# The library draws a bar of its own on standard error, and takes no other. A server wants none.
kagglehub.clients.tqdm = _make_bar
logging.getLogger("kagglehub").setLevel(logging.WARNING)


class KaggleHub:
    """Fetches the files of one variation of a model."""

    def __init__(self, handle: str) -> None:
        """Read the handle.

        Raises:
            PresetUnavailableError: it is not as Kaggle writes them.
        """
        match = _HANDLE.fullmatch(handle)
        if match is None:
            message = (
                f"{handle} is no handle of {_NAME}; write kaggle://user/model/keras/variation."
            )
            raise PresetUnavailableError(message)
        self._handle = handle
        self._model: ModelHandle = parse_model_handle(match[1])

    def list_files(self) -> Listing:
        """Ask for the newest version, if the handle names none, and its files.

        Raises:
            HubError: the hub does not tell.
        """
        with self._explain(), build_kaggle_client() as client:
            api = client.models.model_api_client
            version = self._model.version
            if version is None:
                instance = api.get_model_instance(self._ask(ApiGetModelInstanceRequest))
                version = instance.version_number
            request = self._ask(ApiListModelInstanceVersionFilesRequest)
            request.version_number, request.page_size = version, _PAGE_SIZE
            files: list[HubFile] = []
            while True:
                page = api.list_model_instance_version_files(request)
                files += (HubFile(file.name, file.size) for file in page.files)
                if not page.next_page_token:
                    return Listing(str(version), tuple(files))
                request.page_token = page.next_page_token

    def download(self, revision: str, file: HubFile, target: Path, advance: Advance) -> None:
        """Fetch a file of a version, going on where an earlier try left off.

        Raises:
            HubError: it did not come whole.
            OSError: it cannot be written.
        """
        model = self._model.with_version(int(revision))
        in_cache = Cache().load_from_cache(model, file.path)
        if in_cache is not None and file.is_at(Path(in_cache)):
            shutil.copyfile(in_cache, target)
            advance(file.size)
            return
        if in_cache is not None:
            delete_from_cache(model, file.path)
        advancing = _advance.set(advance)
        try:
            with self._explain(file):
                fetched = Path(_download(str(model), file.path))
        finally:
            _advance.reset(advancing)
        if fetched == Path(Cache().get_path(model, file.path)):
            # It was not in the cache before: nobody else has asked for it, and one copy is enough.
            shutil.move(fetched, target)
            delete_from_cache(model, file.path)
        else:
            shutil.copyfile(fetched, target)  # a notebook's own, mounted to be read

    def _ask(self, request_class: Any) -> Any:
        request = request_class()
        request.owner_slug, request.model_slug = self._model.owner, self._model.model
        request.framework = self._model.framework_enum()
        request.instance_slug = self._model.variation
        return request

    @contextmanager
    def _explain(self, file: HubFile | None = None) -> Iterator[None]:
        """Turn what the library raises into our own errors."""
        try:
            yield
        except DataCorruptionError as error:
            raise WrongHashError(self._handle, file.path if file else "a file") from error
        except requests.exceptions.HTTPError as error:
            raise self._explain_answer(error.response) from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise BrokenTransferError(self._handle, file.path if file else "the list") from error
        except requests.exceptions.RequestException as error:
            reason = type(error).__name__
            raise HubUnreachableError(self._handle, _NAME, reason) from error

    def _explain_answer(self, response: requests.Response | None) -> Exception:
        status = 0 if response is None else response.status_code
        if status in {401, 403}:
            return AccessDeniedError(self._handle, _NAME, status, "KAGGLE_API_TOKEN")
        if status == 404:  # noqa: PLR2004  # not found
            return NotOnHubError(self._handle, _NAME)
        return HubUnreachableError(self._handle, _NAME, f"it answered {status}")


def _download(model: str, path: str) -> str:
    """Fetch a file into the library's cache, trying again where the transfer breaks off."""
    for _ in range(_TRIES - 1):
        try:
            return str(kagglehub.model_download(model, path))
        except requests.exceptions.ChunkedEncodingError:
            continue
    return str(kagglehub.model_download(model, path))

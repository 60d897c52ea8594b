"""`kagglehub` itself, talking to a server on loopback."""

from pathlib import Path

import kagglehub
import pytest

from fake_hub import FakeHub, Fault
from model_store.errors import PresetUnavailableError
from model_store.fetching.hubs import open_hub
from model_store.fetching.hubs.errors import (
    AccessDeniedError,
    BrokenTransferError,
    HubUnreachableError,
    NotOnHubError,
    WrongHashError,
)
from model_store.fetching.hubs.hub import HubFile

MODEL = "keras/bert/keras/tiny"
HANDLE = f"kaggle://{MODEL}"
WEIGHTS = bytes(range(256)) * 400
FILES = {
    "config.json": b"{}",
    "model.weights.h5": WEIGHTS,
    "assets/tokenizer/vocabulary.txt": b"[PAD]\n",
    "tokenizer.json": b"[]",
}


@pytest.fixture(autouse=True)
def _model(hub: FakeHub) -> None:
    hub.models[MODEL] = FILES


def fetch(name: str, target: Path) -> int:
    """Fetch a file and return how many bytes were counted."""
    counted: list[int] = []
    file = HubFile(name, len(FILES[name]))
    open_hub(HANDLE).download("3", file, target, counted.append)
    return sum(counted)


def test_listing_has_the_version_and_every_file() -> None:
    """However many pages they are on."""
    listing = open_hub(HANDLE).list_files()
    assert listing.revision == "3"
    assert {file.path: file.size for file in listing.files} == {
        path: len(data) for path, data in FILES.items()
    }


def test_listing_of_a_version_asks_for_no_newer_one(hub: FakeHub) -> None:
    """The version may stand in the handle."""
    assert open_hub(f"{HANDLE}/3").list_files().revision == "3"
    assert hub.count("GetModelInstance", "POST") == 0


@pytest.mark.parametrize("name", FILES)
def test_file_is_fetched(tmp_path: Path, name: str) -> None:
    """Byte for byte, and every byte is counted."""
    assert fetch(name, tmp_path / "file") == len(FILES[name])
    assert (tmp_path / "file").read_bytes() == FILES[name]


def test_one_copy_is_kept(tmp_path: Path) -> None:
    """The library's cache does not keep a second one."""
    fetch("model.weights.h5", tmp_path / "file")
    cached = (tmp_path / "home" / "kagglehub").rglob("*")
    assert [path for path in cached if path.is_file()] == []


def test_fetching_goes_on_where_it_was(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is missing is asked for, whoever fetched the rest.

    The library asks twice in each of its three tries but the first: for the file, and for the rest.
    """
    monkeypatch.setattr("kagglehub.clients.CHUNK_SIZE", 1000)
    hub.faults["gcs/keras/bert/keras/tiny/model.weights.h5"] = Fault(cut_after=10_000, times=5)
    with pytest.raises(BrokenTransferError):
        fetch("model.weights.h5", tmp_path / "file")
    fetch("model.weights.h5", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == WEIGHTS
    assert hub.asked[-1].first_byte == 30_000


def test_cut_transfer_is_mended(hub: FakeHub, tmp_path: Path) -> None:
    """Once is no reason to give up."""
    hub.faults["gcs/keras/bert/keras/tiny/model.weights.h5"] = Fault(cut_after=50_000, times=1)
    fetch("model.weights.h5", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == WEIGHTS


def test_transfer_that_breaks_off_again_and_again_is_told(hub: FakeHub, tmp_path: Path) -> None:
    """With the file's name."""
    hub.faults["model.weights.h5"] = Fault(cut_after=100)
    with pytest.raises(BrokenTransferError, match=r"model\.weights\.h5 from kaggle://"):
        fetch("model.weights.h5", tmp_path / "file")


def test_wrong_hash_is_told(hub: FakeHub, tmp_path: Path) -> None:
    """Kaggle sends the MD5 of each file, and the library compares it."""
    hub.faults["gcs/keras/bert/keras/tiny/config.json"] = Fault(is_corrupt=True)
    with pytest.raises(WrongHashError, match=r"config\.json from kaggle://.* another hash"):
        fetch("config.json", tmp_path / "file")


def test_what_the_librarys_cache_holds_is_not_fetched(hub: FakeHub, tmp_path: Path) -> None:
    """Who uses KerasHub has many files already, and keeps them."""
    cached = Path(kagglehub.model_download(MODEL, "config.json"))
    fetch("config.json", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == cached.read_bytes() == FILES["config.json"]
    assert hub.count("config.json") == 1


def test_broken_file_in_the_librarys_cache_is_not_taken(tmp_path: Path) -> None:
    """One of another size is fetched, as if it were not there."""
    Path(kagglehub.model_download(MODEL, "config.json")).write_bytes(b"")
    fetch("config.json", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == FILES["config.json"]


def test_token_is_the_librarys(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is logged in is logged in here."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", "secret")
    open_hub(HANDLE).list_files()
    assert hub.asked[-1].token == "Bearer secret"  # noqa: S105  # of a fake


def test_library_says_nothing(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A server's log is no place for another's bars."""
    fetch("model.weights.h5", tmp_path / "file")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("status", [401, 403])
def test_refusal_is_told(hub: FakeHub, status: int) -> None:
    """With the variable that a token belongs in."""
    hub.faults["GetModelInstance"] = Fault(status=status)
    with pytest.raises(AccessDeniedError, match=rf"\({status}\).*KAGGLE_API_TOKEN"):
        open_hub(HANDLE).list_files()


@pytest.mark.parametrize("handle", ["kaggle://keras/bert/keras/none", f"{HANDLE}/7"])
def test_what_is_not_there_is_told(handle: str) -> None:
    """A variation, and a version."""
    with pytest.raises(NotOnHubError, match=f"no {handle}"):
        open_hub(handle).list_files()


def test_failure_of_the_hub_is_told(hub: FakeHub) -> None:
    """With its status."""
    hub.faults["GetModelInstance"] = Fault(status=500)
    with pytest.raises(HubUnreachableError, match="answered 500"):
        open_hub(HANDLE).list_files()


def test_missing_network_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens there."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with pytest.raises(HubUnreachableError, match="check the network"):
        open_hub(HANDLE).list_files()


@pytest.mark.parametrize(
    "handle",
    ["kaggle://keras/bert", "kaggle://a/b/pyTorch/c", f"{HANDLE}/x", f"{HANDLE}/1/2", "s3://a/b"],
)
def test_bad_handle_is_refused(handle: str) -> None:
    """Before anything is asked."""
    with pytest.raises(PresetUnavailableError, match="write kaggle://user/model/keras/variation"):
        open_hub(handle)

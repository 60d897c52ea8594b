"""`huggingface_hub` itself, talking to a server on loopback."""

from pathlib import Path

import pytest
from huggingface_hub import hf_hub_download

from fake_hub import FakeHub, Fault
from model_store.errors import PresetUnavailableError
from model_store.fetching.hubs import open_hub
from model_store.fetching.hubs.errors import (
    AccessDeniedError,
    BrokenTransferError,
    HubUnreachableError,
    NotOnHubError,
)
from model_store.fetching.hubs.hub import HubFile

HANDLE = "hf://somebody/bert"
WEIGHTS = bytes(range(256)) * 400
FILES = {"config.json": b"{}", "model.safetensors": WEIGHTS}


@pytest.fixture(autouse=True)
def _repository(hub: FakeHub) -> None:
    hub.repositories["somebody/bert"] = FILES


def find_file(name: str) -> tuple[str, HubFile]:
    """Return the revision that is listed, and a file of it."""
    listing = open_hub(HANDLE).list_files()
    return listing.revision, next(file for file in listing.files if file.path == name)


def fetch(name: str, target: Path) -> int:
    """Fetch a file and return how many bytes were counted."""
    counted: list[int] = []
    revision, file = find_file(name)
    open_hub(HANDLE).download(revision, file, target, counted.append)
    return sum(counted)


def test_listing_has_the_commit(hub: FakeHub) -> None:
    """A branch moves; the commit that it was is what is recorded."""
    assert open_hub(HANDLE).list_files().revision == hub.commit("somebody/bert")


def test_listing_of_a_revision_is_of_that_revision(hub: FakeHub) -> None:
    """After `@` stands what the hub calls a revision."""
    commit = hub.commit("somebody/bert")
    assert open_hub(f"{HANDLE}@{commit}").list_files().revision == commit
    assert hub.asked[-1].path.endswith(f"/revision/{commit}")


def test_every_file_is_held_against_its_hash(tmp_path: Path) -> None:
    """Large files have a SHA-256, small ones git's name; one changed byte is seen."""
    for name, data in FILES.items():
        _, file = find_file(name)
        assert (file.sha256 is None) != (file.git_sha1 is None)
        path = tmp_path / name
        path.write_bytes(data)
        assert file.is_at(path)
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
        assert not file.is_at(path)


@pytest.mark.parametrize("name", FILES)
def test_file_is_fetched(tmp_path: Path, name: str) -> None:
    """Byte for byte, and every byte is counted."""
    assert fetch(name, tmp_path / "file") == len(FILES[name])
    assert (tmp_path / "file").read_bytes() == FILES[name]


def test_fetching_goes_on_where_it_was(hub: FakeHub, tmp_path: Path) -> None:
    """Only what is missing is asked for."""
    (tmp_path / "file").write_bytes(WEIGHTS[:60_000])
    assert fetch("model.safetensors", tmp_path / "file") == len(WEIGHTS) - 60_000
    assert (tmp_path / "file").read_bytes() == WEIGHTS
    assert hub.asked[-1].first_byte == 60_000


def test_cut_transfer_is_mended(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library asks for the rest by itself."""
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
    hub.faults["cdn/somebody/bert/model.safetensors"] = Fault(cut_after=50_000, times=1)
    fetch("model.safetensors", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == WEIGHTS
    assert hub.asked[-1].first_byte == 50_000


def test_transfer_that_breaks_off_again_and_again_is_told(hub: FakeHub, tmp_path: Path) -> None:
    """With the file's name; what came is kept where the library keeps it."""
    hub.faults["cdn/somebody/bert/model.safetensors"] = Fault(cut_after=100)
    with pytest.raises(BrokenTransferError, match=r"model\.safetensors from hf://somebody/bert"):
        fetch("model.safetensors", tmp_path / "file")


def test_what_the_librarys_cache_holds_is_not_fetched(hub: FakeHub, tmp_path: Path) -> None:
    """Who uses Transformers has many files already."""
    hf_hub_download("somebody/bert", "config.json")
    assert hub.count("config.json") == 1
    fetch("config.json", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == FILES["config.json"]
    assert hub.count("config.json") == 1


def test_broken_file_in_the_librarys_cache_is_not_taken(tmp_path: Path) -> None:
    """It is fetched, as if it were not there."""
    cached = Path(hf_hub_download("somebody/bert", "config.json"))
    cached.resolve().write_bytes(b"[]")
    fetch("config.json", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == FILES["config.json"]


def test_token_is_the_librarys(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is logged in is logged in here."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch("config.json", tmp_path / "file")
    assert [asked.token for asked in hub.asked[-2:]] == ["Bearer hf_secret"] * 2


@pytest.mark.parametrize("status", [401, 403])
def test_refusal_is_told(hub: FakeHub, status: int) -> None:
    """With the variable that a token belongs in."""
    hub.faults["/api/models/somebody/bert"] = Fault(status=status)
    with pytest.raises(AccessDeniedError, match=rf"\({status}\).*HF_TOKEN"):
        open_hub(HANDLE).list_files()


@pytest.mark.parametrize("handle", ["hf://nobody/nothing", "hf://somebody/bert@nowhere"])
def test_what_is_not_there_is_told(handle: str) -> None:
    """A repository, and a revision."""
    with pytest.raises(NotOnHubError, match=f"no {handle}"):
        open_hub(handle).list_files()


def test_failure_of_the_hub_is_told(hub: FakeHub) -> None:
    """With its status."""
    hub.faults["/api/models/somebody/bert"] = Fault(status=500)
    with pytest.raises(HubUnreachableError, match="answered 500"):
        open_hub(HANDLE).list_files()


def test_missing_network_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens there."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(HubUnreachableError, match="check the network"):
        open_hub(HANDLE).list_files()


def test_offline_mode_of_the_library_is_kept(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """`HF_HUB_OFFLINE` is the library's promise, and it keeps it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubUnreachableError, match="HF_HUB_OFFLINE"):
        open_hub(HANDLE).list_files()
    assert hub.asked == []


@pytest.mark.parametrize(
    "handle", ["hf://", "hf://name", "hf://a/b/c", "hf://a/b@", "hf://a/b@../x y", "hf://a/b\n"]
)
def test_bad_handle_is_refused(handle: str) -> None:
    """Before anything is asked."""
    with pytest.raises(PresetUnavailableError, match="write hf://user/name"):
        open_hub(handle)

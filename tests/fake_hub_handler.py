"""How a fake hub answers, in the words of both hubs."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from fake_hub import FakeHub

Files = Mapping[str, bytes]

_CHUNK_BYTES = 1 << 14
_PAGE_SIZE = 3
_LARGE = (".safetensors", ".bin", ".h5")
_KAGGLE_API = "/api/v1/models.ModelApiService/"


@dataclass
class Fault:
    """What is wrong with a file.

    Attributes:
        status: what is answered instead of the file, or None.
        cut_after: after how many bytes of an answer the connection ends, or None.
        is_corrupt: whether a byte is another.
        times: how many answers are so; the others are right.
    """

    status: int | None = None
    cut_after: int | None = None
    is_corrupt: bool = False
    times: int = 1_000_000


@dataclass(frozen=True)
class Asked:
    """A request that came.

    Attributes:
        method: of HTTP.
        path: without the query.
        first_byte: of the range that was asked for.
        token: what was sent to log in, or None.
    """

    method: str
    path: str
    first_byte: int
    token: str | None


class HubHandler(BaseHTTPRequestHandler):
    """Answers one connection.

    Attributes:
        hub: whose files these are.
    """

    hub: "FakeHub"
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Describe."""
        self._answer()

    def do_GET(self) -> None:
        """Send."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a call of Kaggle's."""
        self._answer()

    def _answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # Whoever takes this server for a proxy sends the whole URL.
        path = unquote(urlsplit(self.path).path)
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        self.first_byte = int(match[1]) if match else 0
        token = self.headers.get("Authorization")
        self.hub.asked.append(Asked(self.command, path, self.first_byte, token))
        self.fault = self.hub.take_fault(path)
        if self.fault.status is not None:
            self._refuse(self.fault.status)
        elif path.startswith(_KAGGLE_API):
            self._answer_kaggle(path.removeprefix(_KAGGLE_API), json.loads(self.body))
        elif path.startswith("/gcs/"):
            data = self._find(self.hub.models, path.removeprefix("/gcs/"))
            md5 = b64encode(hashlib.md5(data).digest()).decode()  # noqa: S324  # as Google does
            self._answer_file(data, {"x-goog-hash": f"crc32c=AAAAAA==,md5={md5}"})
        elif path.startswith("/cdn/"):
            self._answer_file(self._find(self.hub.repositories, path.removeprefix("/cdn/")))
        else:
            self._answer_hugging_face(path)

    def _answer_hugging_face(self, path: str) -> None:
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            repository, revision = match.groups()
            if repository not in self.hub.repositories:
                self._refuse(404, "RepoNotFound")
            elif revision not in {None, "main", self.hub.commit(repository)}:
                self._refuse(404, "RevisionNotFound")
            else:
                self._send_json(self._describe(repository))
            return
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        files = self.hub.repositories.get(match[1], {}) if match else {}
        if not match or match[3] not in files:
            self._refuse(404, "EntryNotFound")
            return
        repository, revision, name = match.groups()
        commit, data = self.hub.commit(repository), files[name]
        if revision not in {"main", commit}:
            self._refuse(404, "RevisionNotFound")
        elif name.endswith(_LARGE):
            etag = hashlib.sha256(data).hexdigest()
            linked = {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(data))}
            url = f"{self.hub.url}/cdn/{repository}/{name}"
            self._redirect(url, {"X-Repo-Commit": commit, **linked})
        else:
            self._answer_file(data, {"X-Repo-Commit": commit, "ETag": f'"{git_sha1(data)}"'})

    def _describe(self, repository: str) -> dict[str, Any]:
        siblings = []
        for path, data in self.hub.repositories[repository].items():
            sibling = {"rfilename": path, "size": len(data), "blobId": git_sha1(data)}
            if path.endswith(_LARGE):
                sha256 = hashlib.sha256(data).hexdigest()
                sibling["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": 130}
            siblings.append(sibling)
        return {"id": repository, "sha": self.hub.commit(repository), "siblings": siblings}

    def _answer_kaggle(self, call: str, asked: dict[str, Any]) -> None:
        parts = (asked["ownerSlug"], asked["modelSlug"], "keras", asked["instanceSlug"])
        model = "/".join(parts)
        files = self.hub.models.get(model)
        version = asked.get("versionNumber") or self.hub.version
        if files is None or version != self.hub.version:
            self._refuse(404)
        elif call == "GetModelInstance":
            self._send_json({"slug": parts[-1], "versionNumber": self.hub.version})
        elif call == "ListModelInstanceVersionFiles":
            start = int(asked.get("pageToken") or 0)
            names = sorted(files)[start : start + _PAGE_SIZE]
            token = str(start + _PAGE_SIZE) if start + _PAGE_SIZE < len(files) else ""
            listed = [{"name": name, "size": len(files[name])} for name in names]
            self._send_json({"files": listed, "nextPageToken": token})
        elif call == "DownloadModelInstanceVersion" and asked["path"] in files:
            self._redirect(f"{self.hub.url}/gcs/{model}/{asked['path']}")
        else:
            self._refuse(404)

    def _find(self, sources: Mapping[str, Files], path: str) -> bytes:
        return next(
            files[path.removeprefix(f"{name}/")]
            for name, files in sources.items()
            if path.startswith(f"{name}/")
        )

    def _answer_file(self, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        if self.first_byte > len(data):
            self._refuse(416)
            return
        sent = bytearray(data)
        if self.fault.is_corrupt:
            sent[len(sent) // 2] ^= 1
        content = bytes(sent)[self.first_byte :]
        self.send_response(206 if self.first_byte else 200)
        if self.first_byte:
            last = len(data) - 1
            self.send_header("Content-Range", f"bytes {self.first_byte}-{last}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self._send(content)

    def _send(self, content: bytes) -> None:
        if self.command == "HEAD":
            return
        if self.fault.cut_after is not None and self.fault.cut_after < len(content):
            content = content[: self.fault.cut_after]
            self.close_connection = True
        try:
            for start in range(0, len(content), _CHUNK_BYTES):
                chunk = content[start : start + _CHUNK_BYTES]
                self.wfile.write(chunk)
                self.hub.served += len(chunk)
                self.hub.on_bytes(self.hub.served)
        except ConnectionError:
            self.close_connection = True  # whoever asked was killed

    def _send_json(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _redirect(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(302)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _refuse(self, status: int, code: str | None = None) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        if status == 401:
            # Without this sentence the library takes a 401 for a repository that is not there.
            self.send_header("X-Error-Message", "Invalid credentials in Authorization header")
        self.send_header("Content-Length", "0")
        self.end_headers()


def git_sha1(data: bytes) -> str:
    """Return the name of a file as an object of git."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324  # as git does

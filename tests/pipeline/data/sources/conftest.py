"""A file server on this machine that can misbehave in all the ways a real one does."""

from __future__ import annotations

import hashlib
import http.server
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.sources import download as fetch
from pipeline.data.sources.checksums import Pin
from pipeline.params.file import load
from pipeline.params.sections import Params, Retry

CHUNK = 1 << 16
CONTENT = random.Random(7).randbytes(10 * CHUNK)
HALF = 5 * CHUNK  # what has come when the line goes dead for the first time


class FileServer:
    """Serves `files` (path -> bytes); `faults` (path -> list) names what each request meets.

    Faults: drop (half the body, then the line goes dead), truncate (half the body, said to be
    all), lie (right length, wrong bytes), long (more bytes than pinned, length unsaid),
    too_long (the same with a Content-Length), no_range (ranges ignored), wrong_range,
    gone (416), changed (a new ETag from then on), elsewhere (redirect to another host name),
    a number (that HTTP status), None (nothing amiss).
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Any]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.version = 1

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    def sent(self, header: str) -> list[str | None]:
        """The value of a header in each request so far."""
        return [headers.get(header) for _, headers in self.requests]


class _Handler(http.server.BaseHTTPRequestHandler):
    files: FileServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        shop = self.files
        shop.requests.append((self.path, dict(self.headers)))
        queue = shop.faults.get(self.path, [])
        fault = queue.pop(0) if queue else None
        body = shop.files.get(self.path)
        if body is None:
            fault = fault if fault == "elsewhere" else 404
        if fault == "elsewhere":
            target = shop.url.replace("127.0.0.1", "localhost") + "/cdn" + self.path
            self._head(302, {"Location": target, "Content-Length": "0"})
        elif isinstance(fault, int):
            self._head(fault, {"Content-Length": "0", "Retry-After": "0"})
        else:
            self._body(body or b"", fault)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, whole: bytes, fault: str | None) -> None:
        self.files.version += fault == "changed"
        etag = f'"v{self.files.version}"'
        body, status, headers = whole, 200, {"ETag": etag}
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        if self.headers.get("If-Range", etag) != etag or fault == "no_range":
            start = 0
        if fault == "gone":
            return self._head(416, {"Content-Range": f"bytes */{len(whole) // 2}"})
        if start:
            first_byte = start + 1 if fault == "wrong_range" else start
            headers["Content-Range"] = f"bytes {first_byte}-{len(whole) - 1}/{len(whole)}"
            body, status = whole[start:], 206
        if fault == "lie":
            body = bytes(255 - byte for byte in body)
        if fault in ("long", "too_long"):
            body += b"more"
        if fault == "truncate":
            body = body[: len(body) // 2]
        if fault != "long":
            headers["Content-Length"] = str(len(body))
        self._head(status, headers)
        self.wfile.write(body[: len(body) // 2] if fault == "drop" else body)


@pytest.fixture
def server() -> Iterator[FileServer]:
    handler = type("Handler", (_Handler,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        handler.files = FileServer(f"http://127.0.0.1:{running.server_port}")
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield handler.files
        running.shutdown()
        thread.join()


@pytest.fixture
def pin() -> Callable[[bytes], Pin]:
    """`pin(content)` gives the pin of some bytes."""
    return lambda content: Pin(len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def retry() -> Retry:
    return Retry(attempts=3, backoff=0.001, timeout=5.0)


@pytest.fixture
def params(server: FileServer, retry: Retry, request: pytest.FixtureRequest) -> Params:
    """The project's parameters, with the local server in place of the published hosts."""
    given = load(request.config.rootpath / "profiles" / "sample.yaml")
    hosts = given.data.sources.official.model_copy(
        update={"glue_url": f"{server.url}/glue", "senteval_url": f"{server.url}/senteval"}
    )
    sources = given.data.sources.model_copy(update={"official": hosts})
    data = given.data.model_copy(update={"sources": sources, "retry": retry})
    return given.model_copy(update={"data": data})


@pytest.fixture
def download(
    server: FileServer, pin: Callable[[bytes], Pin], retry: Retry, tmp_path: Path
) -> Callable[..., Path]:
    """Download /x.zip from the server, which meets the given faults in turn."""
    server.files["/x.zip"] = CONTENT

    def download(*faults: Any, pinned: Pin | None = None, retry: Retry = retry) -> Path:
        server.faults["/x.zip"] = list(faults)
        return fetch.fetch(f"{server.url}/x.zip", pinned or pin(CONTENT), retry, downloads=tmp_path)

    return download


def final(folder: Path) -> list[Path]:
    """Files under a final name."""
    return [path for path in folder.iterdir() if not path.suffix]

"""Download one file over HTTP in several tries: each resumes where the last one stopped."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pipeline.data.sources.checksums import Pin
from pipeline.errors import DownloadError
from pipeline.runtime import progress
from pipeline.runtime.artifacts import sha256

if TYPE_CHECKING:
    from requests import Response

_CHUNK = 1 << 16  # bytes in memory at a time, and most that are lost when a connection breaks
_TRANSIENT = {408, 425, 429}  # HTTP status after which another try may succeed; so may all >= 500


class BrokenError(Exception):
    """A try that failed for a passing reason.

    Attributes:
        wait: seconds that the server asked to wait.
    """

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class Partial:
    """A file of which the first bytes may have arrived.

    Attributes:
        url: address of the file.
        pin: size and SHA-256 that it must have.
        path: where the bytes go.
        timeout: seconds without a byte before the connection counts as broken.
        headers: sent with each request.
    """

    url: str
    pin: Pin
    path: Path
    timeout: float
    headers: Mapping[str, str]

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def etag(self) -> Path:
        """File with the server's ETag, which names the version of the first bytes."""
        return self.path.with_suffix(".etag")

    def go_on(self) -> None:
        """Try once: fetch the missing bytes, then check the whole file.

        Raises:
            BrokenError: the try failed for a passing reason.
            DownloadError: the server refused or has another file; all bytes are deleted.
        """
        offset = self.path.stat().st_size if self.path.exists() else 0
        resumed = offset > 0
        if offset < self.pin.bytes:
            with _get(self.url, self._request(offset), self.timeout) as response:
                start = self._start(response, offset)
                resumed = start > 0
                self._receive(response, start)
        seen = seen_as(self.path)
        if seen == self.pin:
            return
        if resumed:  # the first bytes may be of an older file: try again from the start
            self.drop()
            raise BrokenError(f"expected {self.pin}, the resumed file has {seen}")
        self._refuse(str(seen))

    def drop(self) -> None:
        """Delete all bytes that arrived."""
        self.path.unlink(missing_ok=True)
        self.etag.unlink(missing_ok=True)

    def _request(self, offset: int) -> dict[str, str]:
        headers = {**self.headers, "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if self.etag.exists():
                headers["If-Range"] = self.etag.read_text(encoding="latin-1")
        return headers

    def _start(self, response: Response, offset: int) -> int:
        """Offset in the file of the response's first byte."""
        status = response.status_code
        if status == 200:
            self._new_version(response)
            return 0
        if status in (206, 416):
            first, total = _content_range(response)
            if total not in (None, self.pin.bytes):
                self._refuse(f"{total:,} bytes")
            if status == 206 and offset and first == offset:
                return offset
            self.drop()
            raise BrokenError(f"the server did not go on from byte {offset:,}")
        if status in _TRANSIENT or status >= 500:
            raise BrokenError(f"HTTP {status} {response.reason}", _retry_after(response))
        raise DownloadError(
            f"the server refuses {self.name}",
            seen=f"HTTP {status} {response.reason}",
            where=self.url,
            fix="check the address under `data` in params.yaml (and HF_ENDPOINT and HF_TOKEN "
            "if data.source is hub)",
        )

    def _new_version(self, response: Response) -> None:
        self.drop()
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > self.pin.bytes:
            self._refuse(f"{int(length):,} bytes")
        etag = response.headers.get("ETag", "")
        if etag.startswith('"'):  # weak marks must not be used with If-Range
            self.etag.write_text(etag, encoding="latin-1")

    def _receive(self, response: Response, start: int) -> None:
        done, title = start, self.name + (f" from byte {start:,}" if start else "")
        with (
            self.path.open("ab" if start else "wb") as file,
            progress.bar(title, self.pin.bytes - start, "bytes") as bar,
        ):
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                bar.advance(len(chunk))
                done += len(chunk)
                if done > self.pin.bytes:
                    self._refuse("more bytes than that")
        if done < self.pin.bytes:
            raise BrokenError(f"expected {self.pin.bytes:,} bytes, the server sent {done:,}")

    def _refuse(self, seen: str) -> NoReturn:
        self.drop()
        raise DownloadError(
            f"{self.name} is not the file that was pinned: expected {self.pin}",
            seen=seen,
            where=self.url,
            fix="run the command again; if it stays so, the server's file has changed (or "
            "data.sources.hub names another revision than the pinned one): take another "
            "data.source",
        )


@contextlib.contextmanager
def _get(url: str, headers: Mapping[str, str], timeout: float) -> Iterator[Response]:
    import requests

    try:
        with requests.get(url, headers=dict(headers), stream=True, timeout=timeout) as response:
            yield response
    except (requests.TooManyRedirects, requests.exceptions.InvalidSchema, ValueError) as error:
        raise DownloadError(  # requests raises ValueError for an invalid address
            "not a valid address",
            seen=str(error),
            where=url,
            fix="check the address under `data` in params.yaml",
        ) from None
    except requests.RequestException as error:
        raise BrokenError(f"{type(error).__name__}: {_cause(error)}") from None


def _cause(error: Exception) -> object:
    """The innermost of the errors that a network error wraps; its message is the plain one."""
    while error.args and isinstance(inner := getattr(error, "reason", error.args[0]), Exception):
        error = inner
    return error.args[0] if error.args else error


def _content_range(response: Response) -> tuple[int | None, int | None]:
    """First byte and total size in a Content-Range header, None where it names none."""
    header = response.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", header)
    first, total = match.groups() if match else (None, None)
    return (None if first is None else int(first), None if total is None else int(total))


def _retry_after(response: Response) -> float:
    """Seconds in a Retry-After header; a date there is ignored."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0.0


def seen_as(path: Path) -> Pin:
    """Size and SHA-256 of a file."""
    return Pin(path.stat().st_size, sha256(path))

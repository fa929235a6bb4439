"""Download pinned files over HTTP: resume, try again, check size and SHA-256."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.sources.checksums import Pin
from pipeline.data.sources.resumable_download import BrokenError, Partial
from pipeline.errors import DownloadError
from pipeline.params.sections import Retry
from pipeline.runtime import process_lock
from pipeline.runtime.artifacts import sha256

DOWNLOADS = Path("scratch/downloads")
OFFLINE_FIX = (
    "check the network; without one, `python -m stages.profile apply sample` needs no files, "
    "and data.source=local reads the folder named by data.folder"
)
_LONGEST_WAIT = 60.0  # seconds between two tries


@dataclass(frozen=True)
class Wanted:
    """One file to download.

    Attributes:
        url: its address.
        pin: size and SHA-256 of its bytes.
    """

    url: str
    pin: Pin


def fetch_all(
    wanted: Mapping[str, Wanted],
    target: Path,
    retry: Retry,
    *,
    downloads: Path = DOWNLOADS,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Download files and, once all are whole, place them in `target` under their names.

    They stay in `downloads`, so that the next run needs no request: DVC deletes a stage's outputs
    before it runs the stage again.

    Raises:
        DownloadError: as `fetch`; files that were already complete stay in `downloads`.
    """
    fetched = {
        name: fetch(file.url, file.pin, retry, downloads=downloads, headers=headers)
        for name, file in wanted.items()
    }
    for name, path in fetched.items():
        _link_or_copy(path, target / name)


def all_kept(wanted: Mapping[str, Wanted], downloads: Path = DOWNLOADS) -> bool:
    """Whether every file is whole in `downloads`, so that no request is needed."""
    return all(_is_whole(downloads / file.pin.sha256, file.pin) for file in wanted.values())


def fetch(
    url: str,
    pin: Pin,
    retry: Retry,
    *,
    downloads: Path = DOWNLOADS,
    headers: Mapping[str, str] | None = None,
) -> Path:
    """Download one file to `downloads`, going on where an earlier try stopped.

    Bytes that arrived are in `<sha256>.part` and survive a failure; only the whole, checked file
    gets the name `<sha256>`. A file that exists already is checked on every use, as it may share
    its bytes with a raw folder; a damaged one is deleted and fetched again.

    Args:
        url: address of the file.
        pin: size and SHA-256 that it must have.
        retry: number of tries, seconds before the second one, seconds without a byte.
        downloads: folder of partial and whole downloads.
        headers: sent with each request, an access token for example.

    Returns:
        Path of the checked file in `downloads`.

    Raises:
        DownloadError: the server refused, did not answer in all tries, or sent another file.
    """
    downloads.mkdir(parents=True, exist_ok=True)
    whole = downloads / pin.sha256
    with _locked(whole, url):
        if not _is_whole(whole, pin):
            whole.unlink(missing_ok=True)
            partial = Partial(url, pin, whole.with_suffix(".part"), retry.timeout, headers or {})
            _complete(partial, retry)
            partial.path.replace(whole)
            partial.drop()
    return whole


def _is_whole(path: Path, pin: Pin) -> bool:
    return path.is_file() and path.stat().st_size == pin.bytes and sha256(path) == pin.sha256


def _link_or_copy(kept: Path, path: Path) -> None:
    """Give a kept file a second name, or copy it where the file system allows no link.

    A read-only one (DVC protects what its cache links to) is copied: artifacts are written to.
    """
    source = kept.resolve()
    if source.stat().st_mode & stat.S_IWUSR:
        with contextlib.suppress(OSError):
            return os.link(source, path)
    shutil.copyfile(source, path)


@contextlib.contextmanager
def _locked(whole: Path, url: str) -> Iterator[None]:
    """Lock a file's download: two processes that append to one partial file would spoil it."""
    try:
        with process_lock.hold(whole):
            yield
    except process_lock.LockedError as error:
        raise DownloadError(
            f"{url.rsplit('/', 1)[-1]} is being downloaded by another process",
            seen=f"process {error}",
            where=url,
            fix="wait until that one is done",
        ) from None


def _complete(partial: Partial, retry: Retry) -> None:
    for number in range(1, retry.attempts + 1):
        try:
            return partial.go_on()
        except BrokenError as error:
            if number == retry.attempts:
                tries = "1 try" if number == 1 else f"{number} tries"
                raise DownloadError(
                    f"{partial.name} could not be downloaded in {tries}",
                    seen=str(error),
                    where=partial.url,
                    fix=f"run the command again, it goes on where it stopped; {OFFLINE_FIX}",
                ) from None
            wait = min(max(retry.backoff * 2 ** (number - 1), error.wait), _LONGEST_WAIT)
            print(
                f"{partial.name}: {error}; try {number + 1} of {retry.attempts} in {wait:.1f} s",
                file=sys.stderr,
                flush=True,
            )
            time.sleep(wait)

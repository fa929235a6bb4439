"""Downloads: tried again, kept, checked and placed under their names."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

from pipeline.data.sources import download as fetch
from pipeline.data.sources import resumable_download
from pipeline.data.sources.checksums import Pin
from pipeline.errors import DownloadError
from pipeline.params.sections import Retry
from tests.pipeline.data.sources.conftest import CONTENT, HALF, final

NO_FILE = "http://127.0.0.1:1/x.zip"  # nothing listens on port 1


@pytest.mark.parametrize(
    ("faults", "seen"),
    [
        ([503, 503, 503], "HTTP 503"),
        (["truncate", 500, 500], "HTTP 500"),
    ],
)
def test_tries_come_to_an_end(download, server, tmp_path, faults, seen):
    with pytest.raises(DownloadError, match="could not be downloaded in 3 tries") as error:
        download(*faults)
    assert str(error.value.seen).startswith(seen)
    assert len(server.requests) == 3
    assert not final(tmp_path)


def test_a_later_run_goes_on_where_an_earlier_one_stopped(download, server, tmp_path):
    once = Retry(attempts=1, backoff=0, timeout=5)
    with pytest.raises(DownloadError, match="in 1 try"):
        download("drop", retry=once)
    assert [path.stat().st_size for path in tmp_path.glob("*.part")] == [HALF]
    assert not final(tmp_path)
    assert download(retry=once).read_bytes() == CONTENT
    assert server.sent("Range") == [None, f"bytes={HALF}-"]


def test_a_whole_file_is_not_fetched_twice(download, server):
    assert download() == download()
    assert len(server.requests) == 1


@pytest.mark.parametrize("damaged", [b"", CONTENT[:-1], CONTENT[:-1] + b"x", CONTENT + b"x"])
def test_a_kept_file_that_was_damaged_is_fetched_again(download, server, damaged):
    download().write_bytes(damaged)
    assert download().read_bytes() == CONTENT
    assert server.sent("Range") == [None, None]


def test_a_damaged_kept_file_does_not_outlive_a_failed_try(download, tmp_path):
    download().write_bytes(CONTENT[:-1])
    with pytest.raises(DownloadError, match="the server refuses"):
        download(404)
    assert not final(tmp_path)


def test_waits_double_and_a_server_may_ask_for_longer(download, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(fetch.time, "sleep", waits.append)
    monkeypatch.setattr(resumable_download, "_retry_after", lambda response: 90.0)
    slow = Retry(attempts=6, backoff=2.0, timeout=5)
    download("drop", "drop", "drop", 503, "drop", retry=slow)
    assert waits == [2.0, 4.0, 8.0, 60.0, 32.0]


def test_no_network_says_what_works_without(pin, tmp_path, capsys):
    with pytest.raises(DownloadError, match="could not be downloaded in 2 tries") as error:
        fetch.fetch(
            NO_FILE,
            pin(b"x"),
            Retry(attempts=2, backoff=0, timeout=1),
            downloads=tmp_path,
        )
    assert "Connection refused" in str(error.value.seen)
    assert "stages.profile apply sample" in str(error.value)
    assert "data.source=local" in str(error.value)
    assert "try 2 of 2" in capsys.readouterr().err


def test_two_processes_do_not_write_one_file(download, pin, tmp_path):
    with (
        fetch._locked(tmp_path / pin(CONTENT).sha256, NO_FILE),
        pytest.raises(DownloadError, match="another process"),
    ):
        download()


def test_files_get_their_names_only_when_all_are_whole(server, pin, retry, tmp_path):
    server.files = {"/a": b"first", "/b": b"second"}
    files = {
        name: fetch.Wanted(f"{server.url}/{name}", pin(server.files[f"/{name}"])) for name in "ab"
    }
    target, downloads = tmp_path / "target", tmp_path / "downloads"
    target.mkdir()
    server.faults["/b"] = [404]
    with pytest.raises(DownloadError):
        fetch.fetch_all(files, target, retry, downloads=downloads)
    assert list(target.iterdir()) == []
    fetch.fetch_all(files, target, retry, downloads=downloads)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {
        "a": b"first",
        "b": b"second",
    }
    assert server.paths() == ["/a", "/b", "/b"]
    assert {path.name for path in final(downloads)} == {file.pin.sha256 for file in files.values()}


@pytest.fixture
def place(server, pin, retry, tmp_path):
    """Put /x.zip from the server into a new folder; gives its path there."""
    server.files["/x.zip"] = CONTENT
    files = {"x.zip": fetch.Wanted(f"{server.url}/x.zip", pin(CONTENT))}

    def place():
        target = tmp_path / "target"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        fetch.fetch_all(files, target, retry, downloads=tmp_path / "downloads")
        assert [path.name for path in target.iterdir()] == ["x.zip"]
        return target / "x.zip"

    return place


def test_a_kept_file_is_placed_without_any_request(place, server):
    place()
    server.requests.clear()
    server.files.clear()
    assert place().read_bytes() == CONTENT
    assert server.requests == []


def test_a_placed_file_takes_no_room_of_its_own(place, pin, tmp_path):
    assert place().samefile(tmp_path / "downloads" / pin(CONTENT).sha256)


def test_a_change_of_a_placed_file_is_found_and_mended(place, server):
    for _ in range(2):
        with place().open("r+b") as file:
            file.write(b"changed in place")
    assert place().read_bytes() == CONTENT
    assert server.paths() == ["/x.zip"] * 3


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP])
def test_where_links_fail_a_copy_is_placed(place, pin, tmp_path, monkeypatch, number):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", fail)
    kept_file = tmp_path / "downloads" / pin(CONTENT).sha256
    for _ in range(2):
        path = place()
        assert path.read_bytes() == kept_file.read_bytes() == CONTENT
        assert not path.samefile(kept_file)


def test_a_read_only_kept_file_gives_a_copy_that_can_be_written(place, pin, tmp_path):
    place()
    kept_file = tmp_path / "downloads" / pin(CONTENT).sha256
    kept_file.chmod(0o444)
    path = place()
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o200
    assert kept_file.stat().st_mode & 0o777 == 0o444


def test_a_kept_file_may_be_a_symlink(place, pin, tmp_path):
    kept_file, store = tmp_path / "downloads" / pin(CONTENT).sha256, tmp_path / "store"
    place()
    kept_file.rename(store)
    kept_file.symlink_to(store)
    assert not place().is_symlink()


@pytest.mark.parametrize(
    ("content", "expected"),
    [(CONTENT, True), (CONTENT[:-1], False), (CONTENT[:-1] + b"x", False), (None, False)],
)
def test_what_is_kept_is_known_by_its_bytes(pin, tmp_path, content, expected):
    files = {"x.zip": fetch.Wanted(NO_FILE, pin(CONTENT))}
    if content is not None:
        (tmp_path / pin(CONTENT).sha256).write_bytes(content)
    assert fetch.all_kept(files, tmp_path) is expected


def test_a_pin_reads_as_what_it_demands():
    assert str(Pin(1234567, "ab")) == "1,234,567 bytes with SHA-256 ab"

"""Downloads from a server that misbehaves."""

from __future__ import annotations

import errno
import os
import random
import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DownloadError
from pipeline.params.sections import Retry
from pipeline.sources import fetch, partial
from pipeline.sources.pins import Pin

CHUNK = 1 << 16
CONTENT = random.Random(7).randbytes(10 * CHUNK)
HALF = 5 * CHUNK  # what has come when the line goes dead for the first time
MORE = 7 * CHUNK  # and for the second time: half of the other half, in whole chunks
NO_FILE = "http://127.0.0.1:1/x.zip"  # nothing listens on port 1


@pytest.fixture
def get(server, pin, retry, tmp_path):
    """Download /x.zip from the server, which meets the given faults in turn."""
    server.files["/x.zip"] = CONTENT

    def get(*faults, pinned=None, retry=retry):
        server.faults["/x.zip"] = list(faults)
        return fetch.fetch(f"{server.url}/x.zip", pinned or pin(CONTENT), retry, downloads=tmp_path)

    return get


def final(folder: Path) -> list[Path]:
    """Files under a final name."""
    return [path for path in folder.iterdir() if not path.suffix]


@pytest.mark.parametrize(
    ("faults", "ranges"),
    [
        ([], [None]),
        (["drop"], [None, f"bytes={HALF}-"]),
        (["drop", "drop"], [None, f"bytes={HALF}-", f"bytes={MORE}-"]),
        (["drop", "no_range"], [None, f"bytes={HALF}-"]),
        (["drop", "changed"], [None, f"bytes={HALF}-"]),
        (["drop", "wrong_range"], [None, f"bytes={HALF}-", None]),
        (["drop", "lie"], [None, f"bytes={HALF}-", None]),
        (["truncate"], [None, f"bytes={HALF}-"]),
        ([503], [None, None]),
        ([500, 429], [None, None, None]),
        (["drop", 503], [None, f"bytes={HALF}-", f"bytes={HALF}-"]),
    ],
)
def test_a_passing_fault_is_overcome(get, server, tmp_path, faults, ranges):
    path = get(*faults)
    assert path.read_bytes() == CONTENT
    assert server.sent("Range") == ranges
    assert final(tmp_path) == [path]
    assert not list(tmp_path.glob("*.part"))


def test_a_range_is_bound_to_the_version_that_was_begun(get, server):
    get("drop")
    assert server.sent("If-Range") == [None, '"v1"']


@pytest.mark.parametrize("fault", ["lie", "long", "too_long"])
def test_another_file_is_refused_at_once_and_deleted(get, server, pin, tmp_path, fault):
    with pytest.raises(DownloadError) as error:
        get(fault)
    assert len(server.requests) == 1
    assert f"655,360 bytes with SHA-256 {pin(CONTENT).sha256}" in error.value.what
    lies = bytes(255 - byte for byte in CONTENT)
    seen = {
        "lie": f"655,360 bytes with SHA-256 {pin(lies).sha256}",
        "long": "more bytes than that",
        "too_long": "655,364 bytes",
    }
    assert error.value.seen == seen[fault]
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_a_file_that_is_shorter_on_the_server_is_refused(get, server, tmp_path):
    with pytest.raises(DownloadError, match="not the file that was pinned") as error:
        get("truncate", "gone")
    assert error.value.seen == "327,680 bytes"
    assert not final(tmp_path)


@pytest.mark.parametrize(
    ("faults", "seen"),
    [
        ([503, 503, 503], "HTTP 503"),
        (["truncate", 500, 500], "HTTP 500"),
    ],
)
def test_tries_come_to_an_end(get, server, tmp_path, faults, seen):
    with pytest.raises(DownloadError, match="could not be downloaded in 3 tries") as error:
        get(*faults)
    assert str(error.value.seen).startswith(seen)
    assert len(server.requests) == 3
    assert not final(tmp_path)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_not_tried_again(get, server, status):
    with pytest.raises(DownloadError) as error:
        get(status)
    assert str(error.value.seen).startswith(f"HTTP {status}")
    assert len(server.requests) == 1


def test_a_later_run_goes_on_where_an_earlier_one_stopped(get, server, tmp_path):
    once = Retry(attempts=1, backoff=0, timeout=5)
    with pytest.raises(DownloadError, match="in 1 try"):
        get("drop", retry=once)
    assert [path.stat().st_size for path in tmp_path.glob("*.part")] == [HALF]
    assert not final(tmp_path)
    assert get(retry=once).read_bytes() == CONTENT
    assert server.sent("Range") == [None, f"bytes={HALF}-"]


@pytest.mark.parametrize("size", [1, HALF, len(CONTENT), len(CONTENT) + 5])
def test_leftovers_of_another_file_are_thrown_away(get, pin, tmp_path, size):
    (tmp_path / f"{pin(CONTENT).sha256}.part").write_bytes(b"x" * size)
    assert get().read_bytes() == CONTENT


def test_a_whole_file_is_not_fetched_twice(get, server):
    assert get() == get()
    assert len(server.requests) == 1


@pytest.mark.parametrize("damaged", [b"", CONTENT[:-1], CONTENT[:-1] + b"x", CONTENT + b"x"])
def test_a_kept_file_that_was_damaged_is_fetched_again(get, server, damaged):
    get().write_bytes(damaged)
    assert get().read_bytes() == CONTENT
    assert server.sent("Range") == [None, None]


def test_a_damaged_kept_file_does_not_outlive_a_failed_try(get, tmp_path):
    get().write_bytes(CONTENT[:-1])
    with pytest.raises(DownloadError, match="the server has no"):
        get(404)
    assert not final(tmp_path)


def test_waits_double_and_a_server_may_ask_for_longer(get, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(fetch.time, "sleep", waits.append)
    monkeypatch.setattr(partial, "_asked_wait", lambda response: 90.0)
    slow = Retry(attempts=6, backoff=2.0, timeout=5)
    get("drop", "drop", "drop", 503, "drop", retry=slow)
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


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "x.zip", "http://", "http://[::1/x"])
def test_an_address_that_is_none(pin, retry, tmp_path, url):
    with pytest.raises(DownloadError, match="address"):
        fetch.fetch(url, pin(b"x"), retry, downloads=tmp_path)


def test_ctrl_c_keeps_what_has_come_but_gives_no_name(get, tmp_path, monkeypatch):
    class Bar:
        def advance(self, amount: float, note: str = "") -> None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(partial.progress, "bar", lambda *_: nullcontext(Bar()))
        with pytest.raises(KeyboardInterrupt):
            get()
    assert not final(tmp_path)
    assert [path.stat().st_size for path in tmp_path.glob("*.part")] == [CHUNK]
    assert get().read_bytes() == CONTENT


def test_a_full_disk_is_told_as_it_is(get, pin, tmp_path, monkeypatch):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    part = tmp_path / f"{pin(CONTENT).sha256}.part"
    part.symlink_to(full)
    # The first answer deletes leftovers; here the leftover stands in for the file that follows.
    monkeypatch.setattr(partial.Partial, "drop", lambda self: None)
    with pytest.raises(OSError, match="No space left") as error:
        get()
    assert error.value.errno == errno.ENOSPC
    assert not final(tmp_path)


def test_two_processes_do_not_write_one_file(get, pin, tmp_path):
    with (
        fetch._locked(tmp_path / f"{pin(CONTENT).sha256}.lock", NO_FILE),
        pytest.raises(DownloadError, match="another process"),
    ):
        get()


def test_files_get_their_names_only_when_all_are_whole(server, pin, retry, tmp_path):
    server.files = {"/a": b"first", "/b": b"second"}
    wanted = {
        name: fetch.Wanted(f"{server.url}/{name}", pin(server.files[f"/{name}"])) for name in "ab"
    }
    target, downloads = tmp_path / "target", tmp_path / "downloads"
    target.mkdir()
    server.faults["/b"] = [404]
    with pytest.raises(DownloadError):
        fetch.fetch_all(wanted, target, retry, downloads=downloads)
    assert list(target.iterdir()) == []
    fetch.fetch_all(wanted, target, retry, downloads=downloads)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {
        "a": b"first",
        "b": b"second",
    }
    assert server.paths() == ["/a", "/b", "/b"]
    assert {path.name for path in final(downloads)} == {file.pin.sha256 for file in wanted.values()}


@pytest.fixture
def place(server, pin, retry, tmp_path):
    """Put /x.zip from the server into a new folder; gives its path there."""
    server.files["/x.zip"] = CONTENT
    wanted = {"x.zip": fetch.Wanted(f"{server.url}/x.zip", pin(CONTENT))}

    def place():
        target = tmp_path / "target"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        fetch.fetch_all(wanted, target, retry, downloads=tmp_path / "downloads")
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
    kept = tmp_path / "downloads" / pin(CONTENT).sha256
    for _ in range(2):
        path = place()
        assert path.read_bytes() == kept.read_bytes() == CONTENT
        assert not path.samefile(kept)


def test_a_read_only_kept_file_gives_a_copy_that_can_be_written(place, pin, tmp_path):
    place()
    kept = tmp_path / "downloads" / pin(CONTENT).sha256
    kept.chmod(0o444)
    path = place()
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o200
    assert kept.stat().st_mode & 0o777 == 0o444


def test_a_kept_file_may_be_a_symlink(place, pin, tmp_path):
    kept, store = tmp_path / "downloads" / pin(CONTENT).sha256, tmp_path / "store"
    place()
    kept.rename(store)
    kept.symlink_to(store)
    assert not place().is_symlink()


@pytest.mark.parametrize(
    ("kept", "expected"),
    [(CONTENT, True), (CONTENT[:-1], False), (CONTENT[:-1] + b"x", False), (None, False)],
)
def test_what_is_kept_is_known_by_its_bytes(pin, tmp_path, kept, expected):
    wanted = {"x.zip": fetch.Wanted(NO_FILE, pin(CONTENT))}
    if kept is not None:
        (tmp_path / pin(CONTENT).sha256).write_bytes(kept)
    assert fetch.all_kept(wanted, tmp_path) is expected


def test_progress_counts_the_bytes_that_come(get, capsys):
    get("drop")
    assert "x.zip from byte 327,680: 327,680 of 327,680 bytes" in capsys.readouterr().err


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_content_range_is_read_or_passed_over(text):
    class Response:
        headers = {"Content-Range": text}  # noqa: RUF012

    assert partial._content_range(Response()) == (None, None)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes 5-9/10", (5, 10)),
        ("bytes 5-9/*", (5, None)),
        ("bytes */10", (None, 10)),
        ("items 5-9/10", (None, None)),
        ("", (None, None)),
    ],
)
def test_content_range(header, expected):
    class Response:
        headers = {"Content-Range": header}  # noqa: RUF012

    assert partial._content_range(Response()) == expected


def test_a_pin_reads_as_what_it_demands():
    assert str(Pin(1234567, "ab")) == "1,234,567 bytes with SHA-256 ab"

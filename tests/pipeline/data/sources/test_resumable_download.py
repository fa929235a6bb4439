"""One file from a server that misbehaves."""

from __future__ import annotations

import errno
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.sources import download as fetch
from pipeline.data.sources import resumable_download
from pipeline.errors import DownloadError
from tests.pipeline.data.sources.conftest import CHUNK, CONTENT, HALF, final

MORE = 7 * CHUNK  # and for the second time: half of the other half, in whole chunks


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
def test_a_passing_fault_is_overcome(download, server, tmp_path, faults, ranges):
    path = download(*faults)
    assert path.read_bytes() == CONTENT
    assert server.sent("Range") == ranges
    assert final(tmp_path) == [path]
    assert not list(tmp_path.glob("*.part"))


def test_a_range_is_bound_to_the_version_that_was_begun(download, server):
    download("drop")
    assert server.sent("If-Range") == [None, '"v1"']


@pytest.mark.parametrize("fault", ["lie", "long", "too_long"])
def test_another_file_is_refused_at_once_and_deleted(download, server, pin, tmp_path, fault):
    with pytest.raises(DownloadError) as error:
        download(fault)
    assert len(server.requests) == 1
    assert f"655,360 bytes with SHA-256 {pin(CONTENT).sha256}" in error.value.what
    lies = bytes(255 - byte for byte in CONTENT)
    values = {
        "lie": f"655,360 bytes with SHA-256 {pin(lies).sha256}",
        "long": "more bytes than that",
        "too_long": "655,364 bytes",
    }
    assert error.value.seen == values[fault]
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_a_file_that_is_shorter_on_the_server_is_refused(download, server, tmp_path):
    with pytest.raises(DownloadError, match="not the file that was pinned") as error:
        download("truncate", "gone")
    assert error.value.seen == "327,680 bytes"
    assert not final(tmp_path)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_not_tried_again(download, server, status):
    with pytest.raises(DownloadError) as error:
        download(status)
    assert str(error.value.seen).startswith(f"HTTP {status}")
    assert len(server.requests) == 1


@pytest.mark.parametrize("size", [1, HALF, len(CONTENT), len(CONTENT) + 5])
def test_leftovers_of_another_file_are_thrown_away(download, pin, tmp_path, size):
    (tmp_path / f"{pin(CONTENT).sha256}.part").write_bytes(b"x" * size)
    assert download().read_bytes() == CONTENT


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "x.zip", "http://", "http://[::1/x"])
def test_an_address_that_is_none(pin, retry, tmp_path, url):
    with pytest.raises(DownloadError, match="address"):
        fetch.fetch(url, pin(b"x"), retry, downloads=tmp_path)


def test_ctrl_c_keeps_what_has_come_but_gives_no_name(download, tmp_path, monkeypatch):
    class Bar:
        def advance(self, amount: float, note: str = "") -> None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(resumable_download.progress, "bar", lambda *_: nullcontext(Bar()))
        with pytest.raises(KeyboardInterrupt):
            download()
    assert not final(tmp_path)
    assert [path.stat().st_size for path in tmp_path.glob("*.part")] == [CHUNK]
    assert download().read_bytes() == CONTENT


def test_a_full_disk_is_told_as_it_is(download, pin, tmp_path, monkeypatch):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    part = tmp_path / f"{pin(CONTENT).sha256}.part"
    part.symlink_to(full)
    # The first answer deletes leftovers; here the leftover stands in for the file that follows.
    monkeypatch.setattr(resumable_download.Partial, "drop", lambda self: None)
    with pytest.raises(OSError, match="No space left") as error:
        download()
    assert error.value.errno == errno.ENOSPC
    assert not final(tmp_path)


def test_progress_counts_the_bytes_that_come(download, capsys):
    download("drop")
    assert "x.zip from byte 327,680: 327,680 of 327,680 bytes" in capsys.readouterr().err


@given(st.text())
def test_any_content_range_is_read_or_passed_over(text):
    class Response:
        headers = {"Content-Range": text}  # noqa: RUF012

    assert resumable_download._content_range(Response()) == (None, None)


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

    assert resumable_download._content_range(Response()) == expected

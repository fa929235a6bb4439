"""The download stage as a program."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests import command_line

ROOT = Path(__file__).resolve().parents[2]
SIZE = 28_999  # of the published WNLI.zip


class _Handler(http.server.BaseHTTPRequestHandler):
    """Sends a file of the right size with wrong bytes; under /slow, half of it and then waits."""

    asked = threading.Event()
    done = threading.Event()

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        if self.path.startswith("/slow"):
            self.wfile.write(bytes(SIZE // 2))
            self.asked.set()
            self.done.wait(30)
        else:
            self.wfile.write(bytes(SIZE))


@pytest.fixture
def server():
    handler = type("Handler", (_Handler,), {"asked": threading.Event(), "done": threading.Event()})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.handler = handler
        running.url = f"http://127.0.0.1:{running.server_port}"
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        handler.done.set()
        running.shutdown()


@pytest.fixture
def project(tmp_path):
    """`project((old text, new text), ...)` writes params.yaml with changes; gives its folder."""

    def project(*changes):
        text = (ROOT / "profiles" / "sample.yaml").read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1
            text = text.replace(old, new)
        (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    return project


def download(task: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return command_line.run("download", "--task", task, folder=folder)


def source(name: str) -> tuple[str, str]:
    return "  source: sample    ", f"  source: {name}    "


def host(url: str) -> tuple[str, str]:
    return "https://dl.fbaipublicfiles.com/glue/data", url


def test_missing_splits_are_named_on_stderr(project, tmp_path):
    (tmp_path / "glue" / "RTE").mkdir(parents=True)
    (tmp_path / "glue" / "RTE" / "dev.tsv").write_bytes(b"x")
    process = download("rte", project(source("local"), ("folder: data/local", "folder: glue")))
    assert (process.returncode, process.stdout) == (0, "")
    assert process.stderr == "rte: the local source has no train, test; going on without\n"
    names = sorted(path.name for path in (tmp_path / "data" / "raw" / "rte").iterdir())
    assert names == ["dev.tsv", "source.json"]


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        ("rtx", [], "no such name under tasks"),
        ("rte", [source("local")], "no such folder"),
        ("rte", [source("official"), host("nowhere")], "an address"),
        ("rte", [source("hub")], "HF_HUB_OFFLINE is set"),
    ],
)
def test_a_users_mistake_is_told_without_a_traceback(project, tmp_path, task, changes, message):
    process = download(task, project(*changes))
    assert process.returncode == 2
    assert message in process.stderr
    assert "Traceback" not in process.stderr
    assert not (tmp_path / "data" / "raw").exists()


def test_wrong_content_is_told_and_deleted(project, server, tmp_path):
    process = download("wnli", project(source("official"), host(server.url)))
    assert process.returncode == 2
    pinned = "ae0e8e4d16f4d46d4a0a566ec7ecceccfd3fbfaa4a7a4b4e02848c0f2561ac46"
    expected = f"expected 28,999 bytes with SHA-256 {pinned}"
    assert f"WNLI.zip is not the file that was pinned: {expected}" in process.stderr
    assert "seen: 28,999 bytes with SHA-256" in process.stderr
    assert not (tmp_path / "data" / "raw").exists()
    assert [path.suffix for path in _files(tmp_path / "scratch")] == [".lock"]


def test_ctrl_c_leaves_the_partial_file_and_no_other(project, server, tmp_path):
    project(source("official"), host(f"{server.url}/slow"))
    running = subprocess.Popen(
        [sys.executable, "-m", "stages.download", "--task", "wnli"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.handler.asked.wait(30)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    _, message = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "interrupted" in message
    assert "Traceback" not in message
    assert not (tmp_path / "data" / "raw").exists()
    assert {path.suffix for path in _files(tmp_path / "scratch")} <= {".lock", ".part", ".etag"}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]

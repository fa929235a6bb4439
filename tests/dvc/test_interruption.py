"""Ctrl-C, a full disk and a read-only one: earlier results stay, nothing half-written is left."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.medium

TEACHER = "data/teachers/rte/m1"
# Loaded by every Python that finds it: the disk is full whenever an artifact is flushed to it.
FULL_DISK = """
import errno, os

def fsync(handle):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

os.fsync = fsync
"""
# The same for a folder that cannot be written: to root, permissions say nothing.
READ_ONLY = """
import errno, os

mkdir = os.mkdir

def closed(path, *rest, **named):
    if "data" in os.fspath(path):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
    mkdir(path, *rest, **named)

os.mkdir = closed
"""


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, drafts included; locks are left lying when free."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix != ".lock"
    }


def test_ctrl_c_ends_a_stage_with_130(as_committed: Any) -> None:
    data = as_committed.root / "data"
    before = contents(data)
    as_committed.change(lambda params: params["teachers"].update({"epochs": 100_000}))
    command = [
        sys.executable,
        "-m",
        "stages.teach",
        "--task",
        "rte",
        "--member",
        "m1",
        "--fold",
        "all",
    ]
    process = subprocess.Popen(
        command,
        cwd=as_committed.root,
        env=as_committed.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_log(data)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=60)
    assert process.returncode == 130, message
    assert "interrupted" in message
    assert "Traceback" not in message
    assert contents(data) == before


PREPARE = ("prepare", "--task", "rte")
TEACH = ("teach", "--task", "rte", "--member", "m1", "--fold", "all")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "fault", "text"),
    [
        (PREPARE, FULL_DISK, "error: the disk is full"),
        (TEACH, FULL_DISK, "error: the disk is full"),
        (PREPARE, READ_ONLY, "error: the file system is read-only"),
    ],
)
def test_a_disk_that_takes_nothing_is_said_and_harms_nothing(
    as_committed: Any, tmp_path: Path, stage: tuple[str, ...], fault: str, text: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(fault)
    data = as_committed.root / "data"
    before = contents(data)
    name, *arguments = stage
    path = str(tmp_path)
    message = as_committed.python("-m", f"stages.{name}", *arguments, code=2, PYTHONPATH=path)
    assert text in message
    assert "Traceback" not in message
    assert contents(data) == before


def wait_for_log(data: Path) -> None:
    """Until training has written to its staging."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if any(log.stat().st_size > 1000 for log in data.glob(".staging/**/log.csv")):
            return
        time.sleep(0.2)
    raise AssertionError("no training log")

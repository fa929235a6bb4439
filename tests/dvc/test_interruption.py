"""Ctrl-C and a full disk: earlier results stay, and nothing half-written takes a final name."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

TEACHER = "data/teachers/rte/m1"
# Loaded by every Python that finds it: the disk is full whenever an artifact is flushed to it.
FULL_DISK = """
import errno, os

def fsync(handle):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

os.fsync = fsync
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
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert contents(data) == before


@pytest.mark.parametrize(
    "stage",
    [["prepare", "--task", "rte"], ["teach", "--task", "rte", "--member", "m1", "--fold", "all"]],
)
def test_a_full_disk_is_said_and_harms_nothing(
    as_committed: Any, tmp_path: Path, stage: list[str]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(FULL_DISK)
    data = as_committed.root / "data"
    before = contents(data)
    name, *arguments = stage
    path = str(tmp_path)
    said = as_committed.python("-m", f"stages.{name}", *arguments, code=2, PYTHONPATH=path)
    assert "error: the disk is full" in said
    assert "Traceback" not in said
    assert contents(data) == before


def wait_for_log(data: Path) -> None:
    """Until training has written to its draft."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if any(log.stat().st_size > 1000 for log in data.glob(".drafts/**/log.csv")):
            return
        time.sleep(0.2)
    raise AssertionError("no training log")

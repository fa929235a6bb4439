"""One process holds a path's lock; the others learn its number, and a killed one frees it.

Run with: python -m pytest tests/pipeline/runtime/test_process_lock.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.runtime import process_lock

ROOT = Path(__file__).resolve().parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from pipeline.runtime import process_lock
with process_lock.hold(Path(sys.argv[1])):
    print("holds", flush=True)
    time.sleep(60)
"""


def refused(path: Path) -> str:
    with pytest.raises(process_lock.LockedError) as error, process_lock.hold(path):
        pass
    return str(error.value)


def test_a_block_holds_the_lock_and_gives_it_back(tmp_path):
    path = tmp_path / "model"
    with process_lock.hold(path):
        assert refused(path) == str(os.getpid())
        assert refused(path) == str(os.getpid())  # a refusal leaves the holder's number
        (tmp_path / "model.pid").unlink()
        assert refused(path) == "unknown"
        with process_lock.hold(tmp_path / "other"):
            pass
    with process_lock.hold(path):
        pass


def test_a_killed_process_frees_its_lock(tmp_path):
    path = tmp_path / "model"
    command = [sys.executable, "-c", HOLDER, str(path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "holds\n"
        assert refused(path) == str(process.pid)
    finally:
        process.kill()
        process.communicate()
    with process_lock.hold(path):
        assert (tmp_path / "model.pid").read_text() == f"{os.getpid()}\n"

"""A second run at the same time is told, and the first goes on unharmed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from orchestration import run_lock
from pipeline.errors import PipelineError

# A stage that goes on once a file is there.
WAITING = "echo $$ > pid-$1; while test ! -e go; do sleep 0.2; done\n"
MESSAGE = "error: another run of this project is under way\n"


def test_a_claim_is_held_by_one_and_given_back(tmp_path: Path) -> None:
    with run_lock.acquire(tmp_path), pytest.raises(PipelineError, match="under way") as error:
        run_lock.acquire(tmp_path).__enter__()
    assert error.value.seen == f"make repro, process {os.getpid()}"
    with run_lock.acquire(tmp_path):
        pass


def test_only_a_dvc_that_runs_and_is_not_ours_counts(tmp_path: Path) -> None:
    assert run_lock.foreign_processes(tmp_path, ()) == []
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    other, dvc = subprocess.Popen(command), subprocess.Popen([*command, "dvc", "repro"])
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    notes = {name: {"pid": it.pid, "cmd": name} for name, it in
             (("other", other), ("dvc repro", dvc), ("gone", gone))}  # fmt: skip
    lock = {"write": {"/a": notes["gone"]}, "read": {"/b": [notes["other"], notes["dvc repro"]]}}
    (tmp_path / "rwlock").write_text(json.dumps(lock))
    try:
        time.sleep(0.5)
        assert run_lock.foreign_processes(tmp_path, ()) == [f"dvc repro, process {dvc.pid}"]
        assert run_lock.foreign_processes(tmp_path, {dvc.pid}) == []
        with pytest.raises(PipelineError, match="under way") as error:
            run_lock.acquire(tmp_path).__enter__()
        assert error.value.seen == f"dvc repro, process {dvc.pid}"
        (tmp_path / "rwlock").write_text("{")
        assert run_lock.foreign_processes(tmp_path, ()) == []
    finally:
        for process in (other, dvc):
            process.kill()
            process.wait()


@pytest.mark.parametrize("torn", [b"", b"{", b'{"write": {"\xc3'])
def test_notes_of_a_dvc_that_was_killed_while_writing_them_are_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], torn: bytes
) -> None:
    """DVC itself refuses to run until somebody deletes them."""
    (tmp_path / "rwlock").write_bytes(torn)
    with run_lock.acquire(tmp_path):
        assert not (tmp_path / "rwlock").exists()
    assert capsys.readouterr().out.startswith(f"removed: {tmp_path / 'rwlock'} (DVC was killed")


@pytest.mark.parametrize("noted", [None, "{}", '{"write": {}, "read": {}}'])
def test_whole_notes_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], noted: str | None
) -> None:
    if noted is not None:
        (tmp_path / "rwlock").write_text(noted)
    with run_lock.acquire(tmp_path):
        assert (tmp_path / "rwlock").exists() == (noted is not None)
    assert not capsys.readouterr().out


def test_notes_that_are_being_written_stay(tmp_path: Path) -> None:
    """Their writer holds DVC's lock, and has finished by the time that we get it."""
    from dvc.lock import make_lock

    notes = tmp_path / "rwlock"
    notes.write_text("")
    with make_lock(str(tmp_path / "rwlock.lock"), tmp_dir=str(tmp_path)):
        threading.Timer(1, lambda: notes.write_text("{}")).start()
        writer = threading.Thread(target=lambda: run_lock.acquire(tmp_path).__enter__())
        writer.start()
        time.sleep(1.5)
        assert notes.read_text() == "{}"
    writer.join()
    assert notes.read_text() == "{}"


@pytest.mark.medium
@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_a_torn_note_does_not_stop_a_run(toy: Any, jobs: str) -> None:
    (toy.folder / ".dvc/tmp").mkdir(parents=True, exist_ok=True)
    (toy.folder / ".dvc/tmp/rwlock").write_text("")
    assert "removed: " in toy.repro("--jobs", jobs)
    assert len(toy.runs()) == 4


@pytest.mark.medium
@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_a_second_run_is_told_and_the_first_goes_on(toy: Any, jobs: str) -> None:
    (toy.folder / "hook.sh").write_text(WAITING)
    first = toy.start("--jobs", jobs)
    toy.wait_for("pid-*", int(jobs))
    assert toy.repro("--jobs", "2", code=2).startswith(MESSAGE)
    second = dvc(toy, "repro")
    assert second.returncode != 0
    assert "is busy" in second.stderr
    (toy.folder / "go").touch()
    output, _ = first.communicate(timeout=240)
    assert first.returncode == 0, output
    assert len(toy.runs()) == 4
    assert "no stage to run" in toy.repro()


@pytest.mark.medium
def test_a_run_beside_somebody_s_dvc_is_told_or_waits(toy: Any) -> None:
    toy.repro("--until", "prepare")
    (toy.folder / "hook.sh").write_text(WAITING)
    command = [sys.executable, "-m", "dvc", "repro", "teach@rte-m1"]
    process = subprocess.Popen(command, cwd=toy.folder, stdout=subprocess.DEVNULL)
    toy.wait_for("pid-*", 1)
    message = toy.repro("--jobs", "2", code=2)
    assert message.startswith(MESSAGE)
    assert f" repro teach@rte-m1, process {process.pid}\n" in message
    (toy.folder / "go").touch()
    assert process.wait(120) == 0
    toy.repro("--jobs", "2")
    assert len(toy.runs()) == 4


def dvc(toy: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=toy.folder, capture_output=True, text=True, check=False)

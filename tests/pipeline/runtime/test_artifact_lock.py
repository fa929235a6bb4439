"""One process trains a model at a time; what killed ones left goes, and what is done stays.

Run with: python -m pytest tests/pipeline/runtime/test_artifact_lock.py
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import paths
from pipeline.errors import BusyError, ParamsError
from pipeline.runtime import artifact_lock, artifacts

TARGET = paths.teacher("rte", "m1", "all")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(paths.SCRATCH, raising=False)
    return tmp_path


def _hold(release, entered):
    with artifact_lock.lock_for_training(TARGET):
        entered.set()
        release.wait(60)


def test_a_second_process_is_told_who_trains_it(project):
    context = multiprocessing.get_context("fork")
    release, entered = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(release, entered))
    holder.start()
    assert entered.wait(60)
    try:
        with (
            pytest.raises(BusyError, match="another process trains this model") as error,
            artifact_lock.lock_for_training(TARGET),
        ):
            pass
        assert f"process {holder.pid}" in str(error.value)
        with artifact_lock.lock_for_training(paths.teacher("rte", "m2", "all")):
            pass  # another model is free
    finally:
        release.set()
        holder.join(60)
    assert holder.exitcode == 0
    with artifact_lock.lock_for_training(TARGET):
        pass


def test_a_killed_process_holds_no_lock_and_its_draft_goes(project):
    program = (
        "import os, signal; from pathlib import Path; from pipeline.runtime import artifact_lock\n"
        f"with artifact_lock.lock_for_training(Path({str(TARGET)!r})) as staging:\n"
        "    (staging.folder / 'half').touch(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(artifact_lock.__file__).resolve().parents[2]
    process = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(root)}, check=False
    )
    assert process.returncode == -9
    left = [path for path in Path("data/.staging").iterdir() if path.is_dir()]
    assert len(left) == 1
    with artifact_lock.lock_for_training(TARGET) as staging:
        assert not left[0].exists()
        (staging.folder / "whole").touch()
    assert [path.name for path in TARGET.iterdir()] == ["whole"]


def test_only_drafts_of_dead_processes_of_this_artifact_go(project):
    begin = artifacts.staging_prefix(TARGET)
    names = [f"-{os.getpid()}", "-x-999999999", "-999999999", "-999999999-old"]
    folders = [begin.with_name(begin.name + name) for name in names]
    for folder in folders:
        folder.mkdir()
    artifacts.remove_stale(TARGET)
    assert [folder.exists() for folder in folders] == [True, True, False, False]


def test_spent_files_go_once_the_artifact_is_whole(project):
    with artifact_lock.lock_for_training(TARGET) as staging:
        assert staging.name == "teachers-rte-m1-all"
        assert staging.live == Path("scratch/logs/teachers-rte-m1-all.csv")
        staging.live.parent.mkdir(parents=True)
        staging.live.touch()
        Path("scratch/run").mkdir()
        staging.spent.append(Path("scratch/run"))
    assert TARGET.is_dir()
    assert not Path("scratch/run").exists()
    assert not staging.live.exists()


def test_spent_files_stay_where_it_failed(project):
    with pytest.raises(KeyboardInterrupt), artifact_lock.lock_for_training(TARGET) as staging:
        Path("scratch/run").mkdir(parents=True)
        staging.spent.append(Path("scratch/run"))
        raise KeyboardInterrupt
    assert Path("scratch/run").exists()
    assert not TARGET.exists()


def test_a_scratch_folder_must_be_absolute(project, monkeypatch):
    monkeypatch.setenv(paths.SCRATCH, "somewhere")
    with (
        pytest.raises(ParamsError, match="not an absolute path") as error,
        artifact_lock.lock_for_training(TARGET),
    ):
        pass
    assert f"export {paths.SCRATCH}={project}/somewhere" in str(error.value)


def test_checkpoints_lie_in_the_named_folder(project, monkeypatch):
    assert paths.checkpoints("student", "ab" * 32) == Path(f"scratch/training/student-{'ab' * 8}")
    monkeypatch.setenv(paths.SCRATCH, "/large")
    assert paths.checkpoints("student", "ab" * 32).parent == Path("/large/training")

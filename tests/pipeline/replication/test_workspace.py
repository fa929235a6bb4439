"""The user's files are put back: after a run, after a fault, after a kill, but not over an edit.

Run with: python -m pytest tests/pipeline/replication/test_workspace.py
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestration import run_lock
from pipeline.errors import PipelineError
from pipeline.replication import workspace
from pipeline.runtime import process_lock
from tests.pipeline.replication.conftest import SAMPLE

OTHER = SAMPLE.replace("temperature: 1.0", "temperature: 2.0")


@pytest.fixture(autouse=True)
def checkouts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often outputs were checked out, without DVC."""
    done: list[int] = []
    monkeypatch.setattr(workspace, "_checkout", lambda: done.append(1))
    return done


def lock(text: str) -> None:
    Path("dvc.lock").write_text(text, "utf-8")


def test_files_are_put_back(project: Path, checkouts: list[int]) -> None:
    lock("before")
    with workspace.kept():
        workspace.write_params(OTHER)
        lock("other")
        assert Path("params.yaml").read_text("utf-8") == OTHER
        assert workspace.params_text() == SAMPLE
    assert Path("params.yaml").read_text("utf-8") == workspace.params_text() == SAMPLE
    assert Path("dvc.lock").read_text("utf-8") == "before"
    assert checkouts == [1]
    assert not workspace.KEPT.exists()


def test_a_lock_that_was_not_there_stays(project: Path) -> None:
    """Outputs of a project that was never run are kept."""
    with workspace.kept():
        workspace.write_params(OTHER)
        lock("new")
    assert Path("dvc.lock").read_text("utf-8") == "new"


def test_a_fault_puts_them_back_too(project: Path) -> None:
    with pytest.raises(PipelineError, match="a command failed") as error, workspace.kept():
        workspace.write_params(OTHER)
        workspace.call("timeit", "-n", "1", "-r", "1", "raise SystemExit(3)")
    assert error.value.seen == "python -m timeit -n 1 -r 1 raise SystemExit(3)"
    assert Path("params.yaml").read_text("utf-8") == SAMPLE


def test_what_a_killed_process_left_is_put_back_first(project: Path, tmp_path: Path) -> None:
    with workspace.kept():
        workspace.write_params(OTHER)
        shutil.copytree(workspace.KEPT, tmp_path / "killed")
    shutil.copytree(tmp_path / "killed", workspace.KEPT)
    Path("params.yaml").write_text(OTHER, "utf-8")
    assert workspace.params_text() == SAMPLE
    with workspace.kept():
        assert Path("params.yaml").read_text("utf-8") == SAMPLE


def test_an_edit_in_the_meantime_stays(
    project: Path, checkouts: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    edited = SAMPLE.replace("temperature: 1.0", "temperature: 3.0")
    with workspace.kept():
        workspace.write_params(OTHER)
        Path("params.yaml").write_text(edited, "utf-8")
        assert workspace.params_text() == edited
    assert Path("params.yaml").read_text("utf-8") == edited
    assert "params.yaml was edited while seeds were run" in capsys.readouterr().out
    assert not checkouts
    assert not workspace.KEPT.exists()


def test_nothing_written_is_nothing_to_put_back(project: Path, checkouts: list[int]) -> None:
    with workspace.kept():
        pass
    assert not checkouts


def test_a_second_process_is_refused(project: Path) -> None:
    refused = pytest.raises(PipelineError, match="another run of this project is under way")
    with workspace.kept(), refused, workspace.kept():
        pass


def test_the_driver_of_a_killed_process_is_waited_for(project: Path) -> None:
    """It still writes to the workspace."""
    folder = workspace.KEPT.parent
    folder.mkdir()
    refused = pytest.raises(PipelineError, match="another run of this project is under way")
    with process_lock.hold(folder / run_lock._NAME), refused, workspace.kept():
        pass
    with workspace.kept():
        pass


def test_a_folder_without_dvc_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = pytest.raises(PipelineError, match="not the root of a DVC project")
    with refused, workspace.kept():
        pass

"""A folder that cannot be written is told before any stage has run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestration import write_access
from pipeline.errors import PipelineError


def closed(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Make folders look as if they could not be written: to root, all can."""
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) not in folders)


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("data/teachers/rte/m1", "data/teachers"),  # is to be made in what is there
        ("data/teachers", "data/teachers"),  # is to be replaced itself
        ("dvc.lock", None),
        ("data/new", None),
    ],
)
def test_the_nearest_folder_that_exists_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, folder: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/teachers").mkdir(parents=True)
    closed(monkeypatch, tmp_path / "data/teachers")
    if folder is None:
        write_access.check([tmp_path / path])
        return
    with pytest.raises(PipelineError, match="no permission to write") as error:
        write_access.check([tmp_path / path, tmp_path / "dvc.lock"])
    assert error.value.where == folder


def can_mount(folder: Path) -> bool:
    command = ["unshare", "--mount", "mount", "--bind", "-o", "ro", str(folder), str(folder)]
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("folder", ["data", ".dvc"])
def test_a_read_only_folder_is_told_and_nothing_runs(toy: Any, folder: str) -> None:
    (toy.folder / folder).mkdir(exist_ok=True)
    if not can_mount(toy.folder / folder):
        pytest.skip("needs the right to mount a folder read-only")
    mount = f'mount --bind -o ro {folder} {folder} && exec "$@"'
    message = toy.repro(
        "--jobs", "2", code=2, before=("unshare", "--mount", "sh", "-c", mount, "sh")
    )
    assert message.startswith("error: ")
    assert "read-only" in message
    assert "Traceback" not in message
    assert toy.runs() == []

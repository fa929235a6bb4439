"""The committed dvc.lock and the stages that the committed parameters make.

Run with: python -m pytest tests/dvc/test_lock.py
"""

from __future__ import annotations

from pathlib import Path

import pytest
from dvc.exceptions import DvcException
from dvc.repo import Repo

from pipeline.params import yaml_text

pytestmark = pytest.mark.medium

ROOT = Path(__file__).resolve().parents[2]


def test_the_lock_holds_the_stages_there_are_and_no_others() -> None:
    """DVC leaves a stage in the lock that has another name now, or none."""
    try:
        committed = Repo(str(ROOT), rev="HEAD")  # not what somebody runs in the work tree
    except DvcException as error:
        pytest.skip(f"not a Git repository: {error}")
    with committed as repo:
        stages = {stage.addressing.rpartition(":")[2] for stage in repo.index.stages}
        text = repo.fs.read_text(repo.fs.join(repo.root_dir, "dvc.lock"))
    assert sorted(yaml_text.parse(text, "dvc.lock")["stages"]) == sorted(stages)

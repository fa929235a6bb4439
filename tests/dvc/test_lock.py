"""The committed dvc.lock and the stages that the committed parameters make.

Run with: python -m pytest tests/dvc/test_lock.py
"""

from __future__ import annotations

from pathlib import Path

from dvc.repo import Repo

from pipeline.params import file

ROOT = Path(__file__).resolve().parents[2]


def test_the_lock_holds_the_stages_there_are_and_no_others() -> None:
    """DVC leaves a stage in the lock that has another name now, or none."""
    with Repo(str(ROOT)) as repo:
        stages = {stage.addressing for stage in repo.index.stages}
    locked = set(file.read_yaml(ROOT / "dvc.lock")["stages"])
    assert sorted(locked) == sorted(stages)

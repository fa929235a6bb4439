"""What reruns after a change of members, folds or candidates, and what they leave behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.dvc.test_reruns import AFTER_TEACHERS, ENSEMBLES, PREPARED

pytestmark = pytest.mark.slow


def test_adding_a_member_and_going_back(as_committed: Any) -> None:
    project = as_committed
    before, old = project.digests(), (project.root / "params.yaml").read_text()
    stages = project.experiment("+teachers.members.m3={seed: 3}")
    assert (
        stages
        == {"initialize@m3", "teach@rte-m3-all", "teach@stsb-m3-all"} | ENSEMBLES | AFTER_TEACHERS
    )
    assert members(project) == ["m1", "m2", "m3"]
    (project.root / "params.yaml").write_text(old)
    assert project.repro() == set()
    assert project.digests().items() >= before.items()
    assert members(project) == ["m1", "m2"]
    for outs in ("teachers", "logits"):
        assert not files(project.root / "data" / outs / "rte/m3")


def test_removing_a_member_leaves_no_ghost(as_committed: Any) -> None:
    as_committed.change(lambda params: params["teachers"]["members"].pop("m1"))
    assert as_committed.repro() == ENSEMBLES | AFTER_TEACHERS
    assert members(as_committed) == ["m2"]
    for outs in ("teachers", "logits"):
        assert not files(as_committed.root / "data" / outs / "rte/m1")
    assert "teach@rte-m1-all" not in as_committed.dvc("status")
    as_committed.commit()
    try:
        # What a clone gets has no trace of the member either, so nothing is run there.
        assert as_committed.clone(as_committed.root.with_name("clone")).repro() == set()
    finally:
        as_committed.git("reset", "-q", "--hard", "HEAD~1")


def test_every_fold_is_a_stage(as_committed: Any) -> None:
    stages = as_committed.experiment("teachers.folds=[1,2]")
    folds = {f"teach@{t}-{m}-{f}" for t in ("rte", "stsb") for m in ("m1", "m2") for f in (1, 2)}
    assert stages == PREPARED | folds | ENSEMBLES | AFTER_TEACHERS
    assert members(as_committed) == ["m1", "m2"]


def test_a_candidate_more_refines_only_itself(as_committed: Any) -> None:
    two = {"c1": {"seed": 1}, "c2": {"seed": 2}}
    as_committed.change(lambda params: params["refinement"].update({"candidates": two}))
    as_committed.change(lambda params: params["selection"].update({"top": 1, "tasks": ["rte"]}))
    as_committed.change(lambda params: params["teachers"]["members"]["m1"].update({"refined": 1}))
    teachers = {"teach@rte-m1-all", "teach@stsb-m1-all"}
    stages = as_committed.repro()
    starts = {"initialize@m1", "initialize@m2"}
    assert (
        stages
        == {"refine@c1", "refine@c2", "select"} | starts | teachers | ENSEMBLES | AFTER_TEACHERS
    )
    chosen = (as_committed.root / "data/selected/selected.json").read_bytes()
    slow = {"seed": 3, "learning_rate": 1e-9, "dropout": 0.9}
    as_committed.change(lambda params: params["refinement"]["candidates"].update({"c3": slow}))
    assert as_committed.repro() == {"refine@c3", "select", "evaluate"}  # it shows the best one
    assert (as_committed.root / "data/selected/selected.json").read_bytes() == chosen


def files(folder: Path) -> list[Path]:
    """Files below a folder; DVC leaves the folders of what it removes."""
    return [path for path in folder.rglob("*") if path.is_file()]


def members(project: Any, task: str = "rte") -> list[str]:
    """Members whose logits are in a task's soft labels."""
    path: Path = project.root / f"data/soft_labels/{task}.parquet"
    names = pq.read_schema(path).names
    return [name.removeprefix("logits_") for name in names if name.startswith("logits_")]

"""What reruns after a change, and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

ENSEMBLES = {"ensemble@rte", "ensemble@stsb"}
AFTER = {"distil", "evaluate"}


def test_adding_a_member_and_going_back(as_committed: Any) -> None:
    project = as_committed
    before, old = project.digests(), (project.root / "params.yaml").read_text()
    ran = project.experiment("+teachers.members.m3={seed: 3}")
    assert ran == {"start@m3", "teach@rte-m3-all", "teach@stsb-m3-all"} | ENSEMBLES | AFTER
    assert members(project) == ["m1", "m2", "m3"]
    (project.root / "params.yaml").write_text(old)
    assert project.repro() == set()
    assert project.digests().items() >= before.items()
    assert members(project) == ["m1", "m2"]
    assert not files(project.root / "data/teachers/rte/m3")


def test_removing_a_member_leaves_no_ghost(as_committed: Any) -> None:
    as_committed.change(lambda params: params["teachers"]["members"].pop("m1"))
    assert as_committed.repro() == ENSEMBLES | AFTER
    assert members(as_committed) == ["m2"]
    assert not files(as_committed.root / "data/teachers/rte/m1")
    assert "teach@rte-m1-all" not in as_committed.dvc("status")
    as_committed.commit()
    try:
        # What a clone gets has no trace of the member either, so nothing is run there.
        assert as_committed.clone(as_committed.root.with_name("clone")).repro() == set()
    finally:
        as_committed.git("reset", "-q", "--hard", "HEAD~1")


def test_a_setting_of_one_task_reruns_only_that_task(as_committed: Any) -> None:
    ran = as_committed.experiment("+teachers.tasks.rte.epochs=2")
    assert ran == {"teach@rte-m1-all", "teach@rte-m2-all", "ensemble@rte"} | AFTER


def test_a_row_cap_fetches_nothing(as_committed: Any) -> None:
    ran = as_committed.experiment("tasks.rte.rows.train=16")
    teachers = {"teach@rte-m1-all", "teach@rte-m2-all", "ensemble@rte"}
    assert ran == {"prepare@rte", "baseline"} | teachers | AFTER


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["distillation.temperature=2.0", "distillation.hard_weight=0.25"], AFTER),
        (["distillation.hard_weight=annealed", "distillation.loss={kind: kl}"], AFTER),
        (["student.epochs=2"], {"baseline"} | AFTER),
        (["ensemble.members=[m1]"], ENSEMBLES | AFTER),
        (["+tuning.tasks.rte={}"], {"tune@rte", "evaluate"}),
        (
            ["+transfer.rte={source: test, rows: 8}"],
            {"prepare@rte", "prepare@stsb", "prepare@wnli", "label@rte-m1-all", "label@rte-m2-all"}
            | ENSEMBLES
            | AFTER,
        ),
        (["ensemble.rule=mean_logit"], ENSEMBLES | AFTER),
        (["machine.labelling_tokens=8192", "data.retry.attempts=2"], set()),
    ],
)
def test_no_teacher_is_rerun(as_committed: Any, overrides: list[str], expected: set[str]) -> None:
    assert as_committed.experiment(*overrides) == expected


def test_every_fold_is_a_stage(as_committed: Any) -> None:
    ran = as_committed.experiment("teachers.folds=[1,2]")
    folds = {f"teach@{t}-{m}-{f}" for t in ("rte", "stsb") for m in ("m1", "m2") for f in (1, 2)}
    assert ran == folds | ENSEMBLES | AFTER
    assert members(as_committed) == ["m1", "m2"]


def test_a_candidate_more_refines_only_itself(as_committed: Any) -> None:
    two = {"c1": {"seed": 1}, "c2": {"seed": 2}}
    as_committed.change(lambda params: params["refinement"].update({"candidates": two}))
    as_committed.change(lambda params: params["selection"].update({"top": 1, "tasks": ["rte"]}))
    as_committed.change(lambda params: params["teachers"]["members"]["m1"].update({"refined": 1}))
    teachers = {"teach@rte-m1-all", "teach@stsb-m1-all"}
    ran = as_committed.repro()
    starts = {"start@m1", "start@m2"}
    assert ran == {"refine@c1", "refine@c2", "select"} | starts | teachers | ENSEMBLES | AFTER
    chosen = (as_committed.root / "data/selected/selected.json").read_bytes()
    slow = {"seed": 3, "learning_rate": 1e-9, "dropout": 0.9}
    as_committed.change(lambda params: params["refinement"]["candidates"].update({"c3": slow}))
    assert as_committed.repro() == {"refine@c3", "select"}
    assert (as_committed.root / "data/selected/selected.json").read_bytes() == chosen


def test_a_task_taken_out_is_gone(as_committed: Any) -> None:
    assert as_committed.experiment("~tasks.wnli") == {"baseline"} | AFTER
    assert not (as_committed.root / "data/prepared/wnli").exists()
    assert as_committed.repro() == set()


def test_a_queued_experiment_leaves_the_workspace_alone(as_committed: Any) -> None:
    project = as_committed
    project.dvc("exp", "run", "--queue", "--name", "queued", "-S", "student.seed=5")
    assert "queued" in project.dvc("queue", "status")
    project.dvc("exp", "run", "--run-all")
    assert project.git("status", "--short") == ""
    assert "student.seed" in project.dvc("params", "diff", "HEAD", "queued")
    assert project.repro() == set()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("pipeline/profiles.py", set()),
        ("scripts/pool.py", set()),
        ("pipeline/results/report.py", {"evaluate"}),
    ],
)
def test_a_comment_reruns_only_what_imports_it(
    as_committed: Any, file: str, expected: set[str]
) -> None:
    with (as_committed.root / file).open("a") as module:
        module.write("# A remark.\n")
    assert as_committed.repro() == expected


def test_a_task_with_teachers_is_taken_out_in_two_places(as_committed: Any) -> None:
    as_committed.change(lambda params: params["tasks"].pop("rte"))
    said = as_committed.python("-m", "scripts.repro", code=2)
    assert "teachers.tasks.rte" in said
    assert "Traceback" not in said


def files(folder: Path) -> list[Path]:
    """Files below a folder; DVC leaves the folders of what it removes."""
    return [path for path in folder.rglob("*") if path.is_file()]


def members(project: Any, task: str = "rte") -> list[str]:
    """Members whose logits are in a task's soft labels."""
    path: Path = project.root / f"data/soft_labels/{task}.parquet"
    names = pq.read_schema(path).names
    return [name.removeprefix("logits_") for name in names if name.startswith("logits_")]

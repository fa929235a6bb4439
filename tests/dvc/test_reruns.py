"""What reruns after a change, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow

ENSEMBLES = {"ensemble@rte", "ensemble@stsb"}
AFTER = {"distil", "evaluate"}
AFTER_TEACHERS = AFTER | {"feature_teachers"}
PREPARED = {"prepare@rte", "prepare@stsb", "prepare@wnli"}
BUDGETS = {"budget@epochs", "budget@steps"}
BASELINES = {"baseline@epochs", "baseline@steps"}


def test_a_setting_of_one_task_trains_only_that_tasks_teachers(as_committed: Any) -> None:
    """All tasks are prepared, as the folds of those with teachers are looked at; to the same.

    Budgets are counted again, as they differ with the tasks that have teachers; to the same.
    """
    stages = as_committed.experiment("+teachers.tasks.rte.epochs=2")
    assert (
        stages
        == PREPARED
        | {"teach@rte-m1-all", "teach@rte-m2-all", "ensemble@rte"}
        | {"budget@epochs", "budget@steps"}
        | AFTER_TEACHERS
    )


def test_a_row_cap_fetches_nothing(as_committed: Any) -> None:
    stages = as_committed.experiment("tasks.rte.rows.train=16")
    teachers = {"teach@rte-m1-all", "teach@rte-m2-all", "ensemble@rte"}
    assert stages == {"prepare@rte", "select"} | BUDGETS | BASELINES | teachers | AFTER_TEACHERS


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["distillation.temperature=2.0", "distillation.hard_weight=0.25"], AFTER),
        (["distillation.hard_weight=annealed", "distillation.loss={kind: kl}"], AFTER),
        (["student.epochs=2"], BUDGETS | BASELINES | AFTER),
        (["student.seed=2"], BASELINES | AFTER),
        (["ensemble.members=[m1]"], ENSEMBLES | AFTER),
        (["+tuning.tasks.rte={}"], {"tune@rte", "evaluate"}),
        (
            ["+transfer.rte={source: test, rows: 8}"],
            PREPARED
            | {"label@rte-m1-all", "label@rte-m2-all"}
            | ENSEMBLES
            | BUDGETS
            | {"baseline@steps"}
            | AFTER,
        ),
        (["ensemble.rule=mean_logit"], ENSEMBLES | AFTER),
        (["data.retry.attempts=2"], set()),
        (["machine.checkpoint_seconds=9"], set()),
    ],
)
def test_no_teacher_is_rerun(as_committed: Any, overrides: list[str], expected: set[str]) -> None:
    assert as_committed.experiment(*overrides) == expected


def test_a_task_taken_out_is_gone(as_committed: Any) -> None:
    assert as_committed.experiment("~tasks.wnli") == {"select"} | BUDGETS | BASELINES | AFTER
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
    ("file", "text", "expected"),
    [
        ("pipeline/training/step.py", "# A remark.", {"code"}),
        ("orchestration/executors/local.py", "VALUE = 1", set()),
        ("pipeline/evaluation/report/files.py", "VALUE = 1", {"code", "evaluate"}),
    ],
)
def test_code_reruns_only_what_imports_it(
    as_committed: Any, file: str, text: str, expected: set[str]
) -> None:
    with (as_committed.root / file).open("a") as module:
        module.write(f"{text}\n")
    assert as_committed.repro() == expected


def test_a_task_with_teachers_is_taken_out_in_two_places(as_committed: Any) -> None:
    as_committed.change(lambda params: params["tasks"].pop("rte"))
    message = as_committed.python("-m", "orchestration.repro", code=2)
    assert "teachers.tasks.rte" in message
    assert "Traceback" not in message

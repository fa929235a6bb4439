"""Folds and calibration need rows that a model has not seen; what they say where there are none."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.params import file
from tests.pipeline.params.conftest import Values, put

REFINED = {
    "refinement/candidates": {"c1": {"seed": 1}, "c2": {"seed": 2}},
    "selection/top": 2,
    "teachers/members/m1": {"seed": 1, "refined": 1},
    "teachers/members/m3": {"seed": 3, "refined": 2},
}
UNREFINED = "-S '~teachers.members.m1.refined' -S '~teachers.members.m3.refined'"
NONE = "dvc exp run -S 'ensemble.calibration=none'"
HELD_OUT = {"ensemble/calibration": "held_out"}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {**REFINED, "teachers/folds": [1, 2]},
            "teachers.folds: m1, m3 start from a candidate that was trained on all train rows, so "
            "no fold is unseen; dvc exp run -S 'teachers.folds=[all]', or dvc exp run "
            f"{UNREFINED}",
        ),
        (
            {**REFINED, **HELD_OUT, "teachers/folds": [1, 2]},
            "teachers.folds: m1, m3 start from a candidate that was trained on all train rows, so "
            "no fold is unseen; dvc exp run -S 'teachers.folds=[all]' -S "
            f"'ensemble.calibration=none', or dvc exp run {UNREFINED}",
        ),
        (
            {**REFINED, **HELD_OUT},
            "ensemble.calibration: held_out needs folds, and no member that starts `refined`, or "
            f"no train row is unseen; dvc exp run -S 'teachers.folds=[1,2,3]' {UNREFINED}, or "
            f"{NONE}",
        ),
        (
            {**HELD_OUT, "tasks/rte/rows/train": 2},
            "ensemble.calibration: held_out needs folds, or no train row is unseen; dvc exp run -S "
            f"'teachers.folds=[1,2]', or {NONE}",
        ),
        (
            {**HELD_OUT, "tasks/rte/rows/train": 1},
            f"ensemble.calibration: held_out needs folds, or no train row is unseen; {NONE}",
        ),
        (
            {**HELD_OUT, "teachers/folds": [1, 2], "teachers/tasks": {"stsb": {}}},
            "ensemble.calibration: held_out fits temperatures to classes, but stsb has scores, and "
            f"no other task has teachers; {NONE}",
        ),
        (
            {**HELD_OUT, "teachers/folds": [1, 2], "tasks/rte/rows/train": 1},
            "teachers.folds: 2 folds are more than the 1 train rows of rte (tasks.rte.rows.train); "
            "dvc exp run -S 'teachers.folds=[all]' -S 'ensemble.calibration=none'",
        ),
    ],
)
def test_no_row_is_unseen(values: Values, faults: Any, changes: dict[str, Any], line: str) -> None:
    for path, value in changes.items():
        put(values, path, value)
    assert faults(values) == [line]


def test_one_task_with_classes_is_enough_for_calibration(values: Values) -> None:
    changes = {**HELD_OUT, "teachers/folds": [1, 2], "teachers/tasks": {"stsb": {}, "rte": {}}}
    for path, value in changes.items():
        put(values, path, value)
    file.check(values)

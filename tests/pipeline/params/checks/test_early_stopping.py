"""Early stopping: what each training really has, on rows it has not seen, one at least."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.errors import ParamsError, TrainingError
from pipeline.params import file
from pipeline.params.training import EarlyStopping
from pipeline.training.early_stopping import hold_out
from tests.pipeline.params.conftest import Values, put

STOP = {"share": 0.1, "patience": 1}
MOST = {"share": 0.9, "patience": 1}
REFINED = {
    "refinement/candidates": {"c1": {"seed": 1}, "c2": {"seed": 2}},
    "selection/top": 1,
    "teachers/members/m1": {"seed": 1, "refined": 1},
}
M1 = {"seed": 1, "refined": 1}
SEEN = (
    "member m1 starts from a candidate that was trained on all train rows, so rows held out tell "
    "nothing"
)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"teachers/early_stopping": STOP}, "teachers"),
        ({"teachers/tasks/rte": {"early_stopping": STOP}}, "teachers.tasks.rte"),
        ({"teachers/members/m1": M1 | {"early_stopping": STOP}}, "teachers.members.m1"),
        (
            {
                "teachers/early_stopping": STOP,
                "teachers/members/m1": M1 | {"early_stopping": STOP},
            },
            "teachers.members.m1",
        ),
        (  # of m1, m3 has none
            {
                "teachers/early_stopping": STOP,
                "teachers/members/m3": {"seed": 3, "refined": 1, "early_stopping": None},
            },
            "teachers",
        ),
    ],
)
def test_a_teacher_that_has_seen_the_rows(
    values: Values, faults: Any, changes: dict[str, Any], where: str
) -> None:
    for path, value in (REFINED | changes).items():
        put(values, path, value)
    key = f"{where}.early_stopping"
    assert faults(values) == [f"{key}: {SEEN}; dvc exp run -S '{key}=null'"]


@pytest.mark.parametrize("where", ["tuning", "tuning.tasks.rte"])
def test_the_student_has_seen_the_rows(values: Values, faults: Any, where: str) -> None:
    values["tuning"]["tasks"] = {"rte": {}}
    put(values, f"{where.replace('.', '/')}/early_stopping", STOP)
    key = f"{where}.early_stopping"
    line = f"{key}: the student was trained on these rows; dvc exp run -S '{key}=null'"
    assert faults(values) == [line]


@pytest.mark.parametrize(
    "changes",
    [
        REFINED | {"teachers/members/m2": {"seed": 2, "early_stopping": STOP}},
        REFINED
        | {
            "teachers/early_stopping": STOP,
            "teachers/members/m1": M1 | {"early_stopping": None},
        },
        REFINED
        | {
            "teachers/tasks/rte": {"early_stopping": STOP},
            "teachers/members/m1": M1 | {"early_stopping": None},
        },
        REFINED
        | {
            "teachers/early_stopping": STOP,
            "teachers/tasks": {"rte": {"early_stopping": None}},
        },
        {"tuning/early_stopping": STOP, "tuning/tasks": {"rte": {"early_stopping": None}}},
        {"tuning/early_stopping": STOP},  # nothing is tuned
        {"refinement/early_stopping": STOP, "tasks/wnli/rows/train": 4},  # nothing is refined
        {"student/early_stopping": STOP, "tasks/wnli/rows/train": 6},
        {"teachers/early_stopping": STOP, "tasks/wnli/rows/train": 4},  # wnli is not taught
        {"teachers/early_stopping": MOST, "tasks/rte/rows/train": 10},
    ],
)
def test_where_it_tells_something(values: Values, changes: dict[str, Any]) -> None:
    for path, value in changes.items():
        put(values, path, value)
    file.check(values)


@pytest.mark.parametrize(
    ("changes", "where", "rows", "number"),
    [
        (
            {"student/early_stopping": STOP, "tasks/wnli/rows/train": 4},
            "student",
            "0.1 of the 4 train rows of wnli (tasks.wnli.rows.train)",
            "none",
        ),
        (
            {"student/early_stopping": MOST, "tasks/wnli/rows/train": 4},
            "student",
            "0.9 of the 4 train rows of wnli (tasks.wnli.rows.train)",
            "4",
        ),
        (
            {
                "refinement/candidates": {"c1": {"seed": 1, "early_stopping": STOP}},
                "selection/top": 1,
                "tasks/wnli/rows/train": 5,
            },
            "refinement.candidates.c1",
            "0.1 of the 5 train rows of wnli (tasks.wnli.rows.train)",
            "none",
        ),
        (
            {"teachers/tasks/rte": {"early_stopping": STOP}, "tasks/rte/rows/train": 5},
            "teachers.tasks.rte",
            "0.1 of the 5 train rows of rte (tasks.rte.rows.train)",
            "none",
        ),
        (
            {
                "teachers/members/m2": {"seed": 2, "early_stopping": STOP},
                "teachers/folds": [1, 2],
                "tasks/rte/rows/train": 11,  # a fold has 6 of them
            },
            "teachers.members.m2",
            "0.1 of the 5 train rows of rte outside a fold (tasks.rte.rows.train)",
            "none",
        ),
    ],
)
def test_a_row_cap_that_leaves_none(
    values: Values, faults: Any, changes: dict[str, Any], where: str, rows: str, number: str
) -> None:
    for path, value in changes.items():
        put(values, path, value)
    key = f"{where}.early_stopping"
    assert faults(values) == [
        f"{key}.share: {rows} is {number}: there must be a row to hold out and one to train on; "
        f"dvc exp run -S '{key}=null'"
    ]


@pytest.mark.parametrize("share", [0.1, 0.125, 0.3, 0.5, 0.7, 0.875, 0.9])
@pytest.mark.parametrize("rows", range(1, 13))
def test_what_is_refused_is_what_training_would_refuse(
    values: Values, share: float, rows: int
) -> None:
    def refuses(check: Any, *given: Any) -> bool:
        try:
            check(*given)
        except (ParamsError, TrainingError):
            return True
        return False

    values["student"]["early_stopping"] = {"share": share, "patience": 1}
    values["tasks"]["wnli"]["rows"]["train"] = rows
    stop, gold = EarlyStopping(share=share, patience=1), {"wnli": np.ones(rows, bool)}
    assert refuses(file.check, values) == refuses(hold_out, gold, stop, 0)

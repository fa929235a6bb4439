"""What one section says against another, and the exact line that reports it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.params import file
from tests.pipeline.params.conftest import Values, put

SAN = {"kind": "san", "steps": 5, "dropout": 0.1, "prediction_dropout": 0.1}
LINEAR = {"kind": "linear", "pooling": "mean", "dropout": 0.3}
RANKING = {
    "kind": "ranking",
    "pooling": "mean",
    "dropout": 0.1,
    "negatives": 2,
    "gamma": 1.0,
    "weight": 0.5,
}
TWO = {"c1": {"seed": 1}, "c2": {"seed": 2}}
STOP = {"share": 0.1, "patience": 1}
REFINED = {
    "refinement/candidates": TWO,
    "selection/top": 1,
    "teachers/members/m1": {"seed": 1, "refined": 1},
}
REST = {"source": "rest", "rows": 100}
Faults = Callable[[Values], list[str]]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"student/heads": {"cola": SAN}},
            "student.heads.cola: head san does not fit cola, which has one text a row, not two",
        ),
        (
            {"student/heads": {"stsb": SAN}},
            "student.heads.stsb: head san does not fit stsb, which has scores, not classes",
        ),
        (
            {"student/heads": {"mnli": RANKING}},
            "student.heads.mnli: head ranking does not fit mnli, which has 3 classes, not two",
        ),
        (
            {"teachers/tasks/mnli": {"head": RANKING}},
            "teachers.tasks.mnli.head: head ranking does not fit mnli, which has 3 classes, "
            "not two",
        ),
        (
            {"student/heads": {"snli": LINEAR}},
            "student.heads.snli: no such task under `tasks`; add it there, or take it out "
            "here (dvc exp run -S '~student.heads.snli'); did you mean wnli?",
        ),
        (
            {"student/task_weights": {"rt": 1.0}},
            "student.task_weights.rt: no such task under `tasks`; add it there, or take it "
            "out here (dvc exp run -S '~student.task_weights.rt'); did you mean rte?",
        ),
        (
            {"student/sampling": {"kind": "weights", "weights": {"rte": 1.0, "cola": 2.0}}},
            "student.sampling.weights: no weight for sst2, mrpc, stsb, qqp, mnli, qnli, wnli",
        ),
        (
            {"tuning/tasks": {"rt": {}}},
            "tuning.tasks.rt: no such task under `tasks`; add it there, or take it out here "
            "(dvc exp run -S '~tuning.tasks.rt'); did you mean rte?",
        ),
        (
            {"transfer/cola": {"source": "test", "rows": None}},
            "transfer.cola: cola has no teachers; add it under teachers.tasks",
        ),
        (
            {"transfer/rte": REST},
            "transfer.rte: tasks.rte.rows.train is null, so no train row is left over for "
            "source rest; set a row cap",
        ),
        (
            {"transfer/rte": {"source": "file", "rows": 5}},
            "transfer.rte: source file needs `file`, a name in data/texts",
        ),
        (
            {"transfer/rte": {"source": "test", "rows": 5, "file": "a.tsv"}},
            "transfer.rte: `file` is for source file, not for source test",
        ),
        (
            {"teachers/folds": [1]},
            "teachers: folds must be [all], or count up from 1 as in [1, 2, 3], not [1]",
        ),
        (
            {"teachers/folds": [1, 3]},
            "teachers: folds must be [all], or count up from 1 as in [1, 2, 3], not [1, 3]",
        ),
        (
            {"teachers/folds": ["all", 1]},
            "teachers: folds must be [all], or count up from 1 as in [1, 2, 3], not ['all', 1]",
        ),
        (
            {"teachers/folds": []},
            "teachers: folds must be [all], or count up from 1 as in [1, 2, 3], not []",
        ),
        (
            {"teachers/folds": [1, 2, 3], "tasks/rte/rows/train": 2},
            "teachers.folds: 3 folds are more than the 2 train rows of rte (tasks.rte.rows.train)",
        ),
        (
            {"ensemble/calibration": "held_out"},
            "ensemble.calibration: held_out needs folds, or no train row is unseen; dvc exp "
            "run -S 'teachers.folds=[1,2,3]'",
        ),
        (
            {"ensemble/members": ["m1", "m9"]},
            "ensemble.members: no such member: m9 (there are m1, m2, m3)",
        ),
        (
            {
                "distillation/internals": {
                    "member": "m9",
                    "hidden": {"weight": 1.0, "loss": "mse", "layers": "uniform"},
                    "attention": None,
                }
            },
            "distillation.internals.member: no such member: m9 (there are m1, m2, m3)",
        ),
        (
            {"distillation/internals": {"member": "m1", "hidden": None, "attention": None}},
            "distillation.internals: hidden or attention must be given; null switches all of "
            "it off",
        ),
        (
            {"distillation/loss": {"kind": "mse"}, "distillation/temperature": 2.0},
            "distillation: loss mse compares logits and knows no temperature; set it to 1.0, not 2",
        ),
        (
            {"refinement/candidates": TWO},
            "selection.top: 3 of only 2 candidates (refinement.candidates)",
        ),
        (
            {"refinement/candidates": TWO, "selection": {"top": 2, "tasks": ["snli"]}},
            "selection.tasks: no such task: snli; did you mean wnli?",
        ),
        (
            {
                "refinement/candidates": TWO,
                "selection/top": 1,
                "refinement/head": SAN,
                "refinement/heads": dict.fromkeys(("cola", "sst2"), LINEAR),
            },
            "refinement.head: head san does not fit stsb, which has scores, not classes",
        ),
        (
            {"teachers/members/m1": {"seed": 1, "refined": 1}},
            "teachers.members.m1.refined: there is nothing under refinement.candidates to "
            "start from",
        ),
        (
            {
                "refinement/candidates": TWO,
                "selection/top": 1,
                "teachers/members/m1": {"seed": 1, "refined": 2},
            },
            "teachers.members.m1.refined: rank 2, but selection.top keeps 1",
        ),
        (
            {
                "teachers/members/m1": {
                    "seed": 1,
                    "refined": 2,
                    "encoder": {
                        "source": "random",
                        "seed": 0,
                        "depth": 1,
                        "hidden": 4,
                        "attention_heads": 1,
                    },
                },
                "refinement/candidates": TWO,
                "selection/top": 2,
            },
            "teachers.members.m1: a member starts from `encoder` or from `refined: 2`, not "
            "from both",
        ),
        (
            {
                "refinement/candidates": TWO,
                "selection/top": 1,
                "teachers/members/m1": {"seed": 1, "refined": 1},
                "teachers/tasks/rte": {"head": LINEAR | {"pooling": "pooler"}},
            },
            "teachers.members.m1.refined: teachers pool by the encoder's pooler, but no head "
            "under refinement does, so the candidate keeps none; set refinement.head.pooling to "
            "pooler",
        ),
        (
            {**REFINED, "teachers/folds": [1, 2]},
            "teachers.members.m1.refined: it starts from a candidate that was trained on all train "
            "rows, so no fold is unseen; set folds to [all]",
        ),
        (
            {**REFINED, "teachers/early_stopping": STOP},
            "teachers.early_stopping: member m1 starts from a candidate that was trained on all "
            "train rows, so rows held out tell nothing; set it to null",
        ),
        (
            {**REFINED, "teachers/tasks/rte": {"early_stopping": STOP}},
            "teachers.tasks.rte.early_stopping: member m1 starts from a candidate that was trained "
            "on all train rows, so rows held out tell nothing; set it to null",
        ),
        (
            {"tuning/early_stopping": STOP, "tuning/tasks": {"rte": {}}},
            "tuning.early_stopping: the student was trained on these rows; set it to null",
        ),
    ],
)
def test_one_contradiction_gives_one_line(
    values: Values, faults: Faults, changes: dict[str, Any], line: str
) -> None:
    for path, value in changes.items():
        put(values, path, value)
    assert faults(values) == [line]


@pytest.mark.parametrize(
    "changes",
    [
        {"student/heads": {"mnli": SAN, "qnli": RANKING, "cola": LINEAR}},
        {"teachers/tasks/rte": {"head": SAN, "epochs": 5}},
        {"refinement/head": SAN},  # nothing is refined, so it fits nothing and harms nothing
        {
            "refinement/candidates": TWO,
            "selection/top": 2,
            "teachers/members/m1": {"seed": 1, "refined": 2},
        },
        {
            "teachers/members": {"a": {"seed": 1, "refined": 1}, "b": {"seed": 1, "refined": 2}},
            "refinement/candidates": TWO,
            "selection/top": 2,
        },
        {"teachers/folds": [1, 2], "ensemble/calibration": "held_out", "ensemble/members": ["m2"]},
        {
            "transfer": {"rte": {"source": "test", "rows": None}, "qqp": REST},
            "tasks/qqp/rows/train": 50,
        },
        {
            "student/sampling": {"kind": "power", "alpha": 0.75},
            "distillation/hard_weight": "annealed",
        },
        {"student/early_stopping": {"share": 0.1, "patience": 1}, "student/accumulation": 2},
        {
            "distillation/internals": {
                "member": "m2",
                "hidden": {"weight": 1.0, "loss": "cosine", "layers": [[1, 2], [2, 4]]},
                "attention": None,
            }
        },
    ],
)
def test_settings_that_agree(values: Values, changes: dict[str, Any]) -> None:
    for path, value in changes.items():
        put(values, path, value)
    file.check(values)

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
PLAIN = "{kind: linear, pooling: mean, dropout: 0.1}"
REST = {"source": "rest", "rows": 100}
Faults = Callable[[Values], list[str]]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"student/heads": {"cola": SAN}},
            "student.heads.cola: head san does not fit cola, which has one text a row, not two; "
            f"dvc exp run -S '~student.heads.cola' -S '++student.heads.cola={PLAIN}'",
        ),
        (
            {"student/heads": {"stsb": SAN}},
            "student.heads.stsb: head san does not fit stsb, which has scores, not classes; dvc "
            f"exp run -S '~student.heads.stsb' -S '++student.heads.stsb={PLAIN}'",
        ),
        (
            {"student/heads": {"mnli": RANKING}},
            "student.heads.mnli: head ranking does not fit mnli, which has 3 classes, not two; dvc "
            f"exp run -S '~student.heads.mnli' -S '++student.heads.mnli={PLAIN}'",
        ),
        (
            {"teachers/tasks/mnli": {"head": RANKING}},
            "teachers.tasks.mnli.head: head ranking does not fit mnli, which has 3 classes, not "
            "two; dvc exp run -S '~teachers.tasks.mnli.head' -S "
            f"'++teachers.tasks.mnli.head={PLAIN}'",
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
            "teachers.folds: 3 folds are more than the 2 train rows of rte (tasks.rte.rows.train); "
            "dvc exp run -S 'teachers.folds=[1,2]'",
        ),
        (
            {"ensemble/calibration": "held_out"},
            "ensemble.calibration: held_out needs folds, or no train row is unseen; dvc exp "
            "run -S 'teachers.folds=[1,2,3]', or dvc exp run -S 'ensemble.calibration=none'",
        ),
        (
            {"ensemble/members": ["m1", "m9"]},
            "ensemble.members: no such member: m9 (there are m1, m2, m3)",
        ),
        (
            {
                "distillation/features": {
                    "member": "m9",
                    "hidden": {"weight": 1.0, "loss": "mse", "layers": "uniform"},
                    "attention": None,
                }
            },
            "distillation.features.member: no such member: m9 (there are m1, m2, m3)",
        ),
        (
            {"distillation/features": {"member": "m1", "hidden": None, "attention": None}},
            "distillation.features: hidden or attention must be given; null switches all of it off",
        ),
        (
            {"ensemble/members": ["m1", "m2", "m1"]},
            "ensemble.members: m1 is named twice",
        ),
        (
            {"selection/tasks": ["mnli", "rte", "rte"]},
            "selection.tasks: rte is named twice",
        ),
        (
            {"distillation/loss": {"kind": "dkd", "alpha": 0.0, "beta": 0}},
            "distillation.loss: with alpha 0 and beta 0 nothing is learnt from soft labels",
        ),
        (
            {"distillation/loss": {"kind": "dist", "inter": 0.0, "intra": 0.0}},
            "distillation.loss: with inter 0 and intra 0 nothing is learnt from soft labels",
        ),
        (
            {"distillation/loss": {"kind": "mse"}, "distillation/temperature": 2.0},
            "distillation: loss mse compares logits and knows no temperature; set it to 1.0, not 2",
        ),
        (
            {"refinement/candidates": TWO},
            "selection.top: 3 of only 2 candidates (refinement.candidates); dvc exp run -S "
            "'selection.top=2'",
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
            "refinement.head: head san does not fit stsb, which has scores, not classes; dvc exp "
            f"run -S '++refinement.heads.stsb={PLAIN}'",
        ),
        (
            {"refinement/candidates": {"a": {"seed": 1}, "b": {"seed": 1}}, "selection/top": 1},
            "refinement: candidates a and b have the same settings and the same seed (1), so they "
            "would be one model twice",
        ),
        (  # said by one, by the section of the other
            {
                "refinement/candidates": {
                    "a": {"seed": 1, "epochs": 3, "dropout": 0.1},
                    "b": {"seed": 1, "early_stopping": None},
                },
                "selection/top": 1,
            },
            "refinement: candidates a and b have the same settings and the same seed (1), so they "
            "would be one model twice",
        ),
        (
            {"teachers/members": {"m1": {"seed": 7}, "m2": {"seed": 8}, "m3": {"seed": 7}}},
            "teachers: members m1 and m3 have the same settings and the same seed (7), so they "
            "would be one teacher twice",
        ),
        (
            {"teachers/members/m1": {"seed": 1, "refined": 1}},
            "teachers.members.m1.refined: there is nothing under refinement.candidates to "
            "start from; dvc exp run -S '~teachers.members.m1.refined'",
        ),
        (
            {
                "refinement/candidates": TWO,
                "selection/top": 1,
                "teachers/members/m1": {"seed": 1, "refined": 2},
            },
            "teachers.members.m1.refined: rank 2, but selection.top keeps 1; dvc exp run -S "
            "'selection.top=2'",
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
            "under refinement does, so the candidate keeps none; dvc exp run -S "
            "'refinement.head.pooling=pooler'",
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
        {
            "refinement/candidates": {"a": {"seed": 1}, "b": {"seed": 1, "epochs": 4}},
            "selection/top": 1,
        },
        {"distillation/loss": {"kind": "dkd", "alpha": 0.0, "beta": 1.0}},
        {"distillation/loss": {"kind": "dist", "inter": 1.0, "intra": 0.0}},
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
            "distillation/features": {
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

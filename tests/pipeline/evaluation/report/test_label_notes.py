from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import label_notes

MEMBERS = "Ensembles of m1, m2 by rule `mean_probability`."
SEEN = "Soft labels of train rows are by teachers that were trained on these rows."

SOFT: dict[str, tuple[Mapping[str, Any], list[str]]] = {
    "plain": ({}, [MEMBERS, SEEN]),
    "folds": (
        {"folds": ["1", "2", "3"]},
        [
            MEMBERS,
            "Soft labels of train rows are cross-fitted: every member is 3 models (all counted as "
            "its parameters), each trained without one of 3 folds, whose rows it labels; all other "
            "rows get the mean of their logits.",
        ],
    ),
    "temperatures": (
        {"temperatures": {"m1": 1.316, "m2": 0.9}},
        [
            MEMBERS,
            SEEN,
            "Members' logits are divided by temperatures fitted on the train rows that they have "
            "not seen: RTE m1 1.32, m2 0.90.",
        ],
    ),
    "further rows": (
        {"transfer": {"rest": 12_000, "file": 7}},
        [
            MEMBERS,
            SEEN,
            "The student alone learns from further rows without gold labels: RTE 12,000 (train "
            "rows that the cap leaves out); RTE 7 (a file in data/texts).",
        ],
    ),
    "another rule": ({"rule": "mean_logit"}, ["Ensembles of m1, m2 by rule `mean_logit`.", SEEN]),
    "weights by dev scores": (
        {"rule": "dev_weighted"},
        [
            "Ensembles of m1, m2 by rule `dev_weighted`. Members are weighted by their dev scores, "
            "so the ensembles' dev figures are flattered.",
            SEEN,
        ],
    ),
}


@pytest.mark.parametrize("case", SOFT)
def test_how_soft_labels_came_about(case: str, results: list[TaskResult]) -> None:
    changes, expected = SOFT[case]
    rte = replace(results[0], soft={**results[0].soft, **changes})
    assert label_notes.notes([rte, *results[1:]]) == expected


def test_tasks_are_named_where_they_differ(results: list[TaskResult]) -> None:
    rte = results[0]
    further = {**rte.soft, "temperatures": {"m1": 1.5}, "transfer": {"test": 5}}
    qnli = replace(rte, task=replace(rte.task, title="QNLI"), soft=further)
    notes = label_notes.notes([replace(rte, soft=further), qnli])
    assert notes[:2] == [MEMBERS, SEEN]
    assert notes[2].endswith("seen: RTE m1 1.50; QNLI m1 1.50.")
    assert notes[3].endswith("labels: RTE 5 (test texts); QNLI 5 (test texts).")


def test_tuned_students(results: list[TaskResult]) -> None:
    tuned = [
        replace(result, scores={**result.scores, "tuned": result.scores["student"]})
        for result in results[1:3]
    ]
    assert label_notes.notes([*tuned, results[3]]) == [
        "Tuned is the student fine-tuned further on the hard labels of one task, a model each for "
        "MRPC, MNLI."
    ]


def test_nothing_is_said_without_teachers(results: list[TaskResult]) -> None:
    assert label_notes.notes(results[1:]) == []


def test_models_behind_a_manifest() -> None:
    plain = {"name": "m1", "precision": "float32"}
    assert label_notes.models(plain) == [plain]
    own = {"1": {"fold": "1"}, "2": {"fold": "2", "precision": "bfloat16"}}
    first, second = label_notes.models({**plain, "by_fold": own})
    assert (first["fold"], first["precision"]) == ("1", "float32")
    assert (second["fold"], second["precision"]) == ("2", "bfloat16")

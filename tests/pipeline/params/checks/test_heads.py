"""Heads by task: the encoder's pooler that a candidate keeps, the class of right answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.params import file
from pipeline.params.heads.ranking import right_by_spelling
from pipeline.tasks import GLUE
from tests.pipeline.params.conftest import Values, put

MEAN = {"kind": "linear", "pooling": "mean", "dropout": 0.1}
POOLER = MEAN | {"pooling": "pooler"}
SAN = {"kind": "san", "steps": 5, "dropout": 0.1, "prediction_dropout": 0.1}
RANKING = MEAN | {"kind": "ranking", "negatives": 2, "gamma": 1.0, "weight": 0.5}
REFINED = {
    "refinement/candidates": {"c1": {"seed": 1}},
    "selection/top": 1,
    "teachers/members/m1": {"seed": 1, "refined": 1},
}
LOST = (
    "teachers.members.m1.refined: teachers pool by the encoder's pooler, but no head under "
    "refinement does, so the candidate keeps none; dvc exp run "
)
PAIRS = {name: {"rows": {"train": 50, "dev": None, "test": None}} for name in ("rte", "qnli")}


def custom(labels: list[str], **more: Any) -> Values:
    described = {"title": "Mine", "labels": labels, "sentence1": "a", "sentence2": "b"}
    rows = {"train": None, "dev": None, "test": None}
    return {"rows": rows, "custom": {**described, "label": "c", "metrics": ["f1"], **more}}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"teachers/head": POOLER, "refinement/head": POOLER, "refinement/heads": "each"},
            f"{LOST}-S 'refinement.heads.cola.pooling=pooler'",
        ),
        ({"teachers/head": POOLER}, f"{LOST}-S 'refinement.head.pooling=pooler'"),
        (
            {
                "tasks": PAIRS,
                "selection/tasks": ["rte"],
                "teachers/tasks": {"rte": {"head": POOLER}},
                "refinement/head": SAN,
            },
            f"{LOST}-S '++refinement.heads.rte={{kind: linear, pooling: pooler, dropout: 0.1}}'",
        ),
    ],
)
def test_a_candidate_without_the_pooler_that_teachers_need(
    values: Values, faults: Any, changes: dict[str, Any], line: str
) -> None:
    for path, value in (REFINED | changes).items():
        put(values, path, dict.fromkeys(values["tasks"], MEAN) if value == "each" else value)
    assert faults(values) == [line]


def test_a_default_head_that_no_task_takes_needs_no_pooler(values: Values) -> None:
    own = {"head": MEAN}
    for path, value in (REFINED | {"teachers/head": POOLER}).items():
        put(values, path, value)
    values["teachers"]["tasks"] = dict.fromkeys(values["teachers"]["tasks"], own)
    file.check(values)


def test_a_task_of_ones_own_says_which_class_is_right(values: Values, faults: Any) -> None:
    values["tasks"]["mine"] = custom(["relevant", "irrelevant"])
    values["student"]["heads"] = {"mine": RANKING}
    assert faults(values) == [
        "student.heads.mine: head ranking needs `positive`, the class of right answers of mine, "
        "relevant or irrelevant; if it is relevant: dvc exp run -S "
        "'++student.heads.mine.positive=\"relevant\"'"
    ]


def test_a_shared_head_gets_a_class_for_one_task_alone(values: Values, faults: Any) -> None:
    values["tasks"] = PAIRS | {"mine": custom(["it's", "no"])}
    values["teachers"] |= {"tasks": {"rte": {}, "mine": {}}, "head": RANKING}
    settings = "kind: ranking, pooling: mean, dropout: 0.1, negatives: 2, gamma: 1.0, weight: 0.5"
    assert faults(values) == [
        "teachers.head: head ranking needs `positive`, the class of right answers of mine, it's or "
        "no; if it is it's: dvc exp run -S "
        f"'++teachers.tasks.mine.head={{{settings}, positive: \"it'\"'\"'s\"}}'"
    ]


@pytest.mark.parametrize(
    ("task", "positive", "line"),
    [
        (
            "mine",
            "relevent",
            "student.heads.mine.positive: mine has no class relevent, only irrelevant and "
            "relevant; did you mean relevant?; if it is irrelevant: dvc exp run -S "
            "'++student.heads.mine.positive=\"irrelevant\"'",
        ),
        (
            "qqp",
            "yes",
            "student.heads.qqp.positive: qqp has no class yes, only not_duplicate and duplicate; "
            "if it is duplicate: dvc exp run -S '++student.heads.qqp.positive=\"duplicate\"'",
        ),
    ],
)
def test_a_class_that_the_task_does_not_have(
    values: Values, faults: Any, task: str, positive: str, line: str
) -> None:
    values["tasks"]["mine"] = custom(["irrelevant", "relevant"])
    values["student"]["heads"] = {task: RANKING | {"positive": positive}}
    assert faults(values) == [line]


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (["relevant", "irrelevant"], "relevant"),
        (["irrelevant", "relevant"], "relevant"),
        (["not_relevant", "relevant"], None),
        (["relevant", "not_relevant"], "not_relevant"),
        (["entailment", "other"], None),
    ],
)
def test_a_class_that_is_named_or_shows(
    values: Values, labels: list[str], positive: str | None
) -> None:
    values["tasks"]["mine"] = custom(labels)
    values["student"]["heads"] = {"mine": RANKING | {"positive": positive}}
    head = file.check(values).student.heads["mine"]
    assert getattr(head, "positive", "no key") == positive


@pytest.mark.parametrize(("task", "right"), [("rte", 0), ("qnli", 0), ("mrpc", 1), ("wnli", 1)])
def test_the_spelling_of_glues_classes_shows_the_right_one(task: str, right: int) -> None:
    assert right_by_spelling(GLUE[task].labels) == right


@given(st.lists(st.sampled_from(["a", "b", "entailment", "not_a", "not_b"]), unique=True))
def test_the_order_of_the_classes_does_not_change_which_one_is_right(labels: list[str]) -> None:
    found, turned = right_by_spelling(labels), right_by_spelling(labels[::-1])
    assert (found is None) == (turned is None)
    if found is not None and turned is not None:
        assert labels[found] == labels[::-1][turned]
        assert not labels[found].startswith("not_")


def test_the_class_loss_keeps_a_share(values: Values, faults: Any) -> None:
    values["student"]["heads"] = {"rte": RANKING | {"weight": 1.0}}
    assert faults(values) == ["student.heads.rte.weight: must be below 1, not 1.0"]

"""Ranking heads: which class of a task is that of right answers.

The lines of the report are in faults.yaml.

Run with: python -m pytest tests/pipeline/params/checks/test_heads.py
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.params import file
from pipeline.params.heads.ranking import right_by_spelling
from pipeline.tasks import GLUE
from tests.pipeline.params.conftest import Values

MEAN = {"kind": "linear", "pooling": "mean", "dropout": 0.1}
RANKING = MEAN | {"kind": "ranking", "negatives": 2, "gamma": 1.0, "weight": 0.5}


def custom(labels: list[str]) -> Values:
    described = {"title": "Mine", "labels": labels, "sentence1": "a", "sentence2": "b"}
    rows = {"train": None, "dev": None, "test": None}
    return {"rows": rows, "custom": {**described, "label": "c", "metrics": ["f1"]}}


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
    place, turned = right_by_spelling(labels), right_by_spelling(labels[::-1])
    assert (place is None) == (turned is None)
    if place is not None and turned is not None:
        assert labels[place] == labels[::-1][turned]
        assert not labels[place].startswith("not_")

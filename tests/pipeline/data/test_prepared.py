"""Dev rows that choose the best epoch.

Run with: python -m pytest tests/pipeline/data/test_prepared.py
"""

from __future__ import annotations

import pytest

from pipeline.data import prepared
from pipeline.errors import DataError
from pipeline.params.training import BestEpoch

ROWS = [("a cat", "a dog", 0), ("a dog", "a cat", 1)]


@pytest.fixture
def splits(make):
    """MNLI with both dev splits, RTE without any."""
    return {
        "mnli": {
            name: make("mnli", name, ROWS)
            for name in ("train", "dev_matched", "dev_mismatched", "test_matched")
        },
        "rte": {"train": make("rte", "train", ROWS)},
    }


def test_dev_rows_are_all_dev_splits_of_the_named_tasks(splits):
    found = prepared.dev_rows(splits, BestEpoch(tasks=["mnli"]))
    assert {task: list(names) for task, names in found.items()} == {
        "mnli": ["dev_matched", "dev_mismatched"]
    }
    assert prepared.dev_rows(splits, None) == {}


@pytest.mark.parametrize("task", ["rte", "qnli"])
def test_a_task_without_dev_rows_cannot_choose(splits, task):
    with pytest.raises(DataError, match=f"cannot be chosen by {task}") as caught:
        prepared.dev_rows(splits, BestEpoch(tasks=["mnli", task]))
    assert f"take {task} out of best_epoch.tasks" in str(caught.value)

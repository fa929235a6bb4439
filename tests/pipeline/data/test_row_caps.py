from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data import row_caps
from pipeline.tasks import GLUE

SEED = st.integers(0, 2**31)
CLASSES = st.lists(st.integers(0, 2), min_size=1, max_size=200)


def kept(count, cap, *, seed=0, task="rte", split="train", classes=None):
    groups = None if classes is None else np.array(classes)
    return row_caps.kept(count, cap, seed=seed, task=task, split=split, classes=groups)


@given(CLASSES, st.integers(1, 250), SEED)
def test_as_many_rows_as_asked_for_in_the_files_order(classes, cap, seed):
    kept_rows = kept(len(classes), cap, seed=seed, classes=classes).tolist()
    assert len(kept_rows) == min(cap, len(classes))
    assert kept_rows == sorted(set(kept_rows))
    assert 0 <= kept_rows[0] <= kept_rows[-1] < len(classes)


@given(CLASSES, st.integers(1, 200), st.integers(1, 200), SEED, st.booleans())
def test_a_smaller_cap_lies_inside_a_larger_one(classes, one, other, seed, stratified):
    groups = classes if stratified else None
    small, large = (
        set(kept(len(classes), cap, seed=seed, classes=groups).tolist())
        for cap in sorted((one, other))
    )
    assert small <= large


@given(CLASSES, st.integers(1, 200), SEED)
def test_class_shares_hold(classes, cap, seed):
    cap = min(cap, len(classes))
    kept_classes = np.array(classes)[kept(len(classes), cap, seed=seed, classes=classes)]
    for group in set(classes):
        share = classes.count(group) / len(classes)
        bound = 0.5 + share * len(set(classes)) / 2
        assert abs((kept_classes == group).sum() - share * cap) <= bound + 1e-9


def test_the_500_rows_lie_inside_the_1000_and_keep_the_shares():
    classes = [0] * 2000 + [1] * 1000
    small, large = (kept(3000, cap, classes=classes) for cap in (500, 1000))
    assert set(small.tolist()) < set(large.tolist())
    assert (small >= 2000).sum() in (166, 167)
    assert (large >= 2000).sum() in (333, 334)


@pytest.mark.parametrize("cap", [None, 7, 8])
def test_a_cap_that_is_not_reached_keeps_all(cap):
    assert kept(7, cap).tolist() == list(range(7))


def test_the_order_belongs_to_seed_task_and_split():
    settings = [
        {},
        {"seed": 1},
        {"task": "qnli"},
        {"split": "dev_matched"},
        {"split": "dev_mismatched"},
    ]
    orders = {tuple(kept(1000, 50, **setting).tolist()) for setting in settings}
    assert len(orders) == len(settings)
    assert kept(1000, 50).tolist() == kept(1000, 50).tolist()


def test_the_order_stays_the_same_for_ever():
    # Python's own promise on seeded `random()`; another order would make old results unusable.
    order = row_caps.order(20, seed=0, task="rte", split="train")
    assert order.tolist()[:10] == [18, 8, 11, 9, 4, 15, 12, 10, 1, 5]
    assert kept(20, 5).tolist() == [4, 8, 9, 11, 18]
    assert kept(20, 4, classes=[0] * 10 + [1] * 10).tolist() == [8, 9, 11, 18]
    assert kept(20, 4, classes=[0] * 5 + [1] * 15).tolist() == [4, 8, 11, 18]


@given(CLASSES, st.integers(1, 250), SEED)
def test_a_cap_takes_the_first_rows_of_the_order(classes, cap, seed):
    groups = np.array(classes)
    order = row_caps.order(len(classes), seed=seed, task="rte", split="train", classes=groups)
    assert sorted(order.tolist()) == list(range(len(classes)))
    assert (
        sorted(order[:cap].tolist()) == kept(len(classes), cap, seed=seed, classes=classes).tolist()
    )


@pytest.mark.parametrize(
    ("task", "split", "expected"),
    [("rte", "train", [0, 1]), ("rte", "test", None), ("stsb", "train", None)],
)
def test_only_labelled_classes_take_turns(task, split, expected):
    row_classes = row_caps.classes(GLUE[task], split, pa.table({"label": [0, 1]}))
    assert (row_classes if row_classes is None else row_classes.tolist()) == expected

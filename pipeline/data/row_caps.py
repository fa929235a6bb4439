"""Choose the rows that a row cap keeps, in a seeded order; a smaller cap keeps some of them."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.data.formats import layouts
from pipeline.tasks import Task

Ints = np.ndarray[Any, np.dtype[np.int64]]


def kept(
    count: int, cap: int | None, *, seed: int, task: str, split: str, classes: Ints | None = None
) -> Ints:
    """Positions of the rows that a cap keeps.

    Rows are put in one seeded order and the first `cap` of it are kept, so a cap of 500 keeps a
    part of what a cap of 1,000 keeps. With classes, each takes its turns in proportion: in the
    first `k` rows of that order, class `c` has `k` times its share, give or take
    `0.5 + share * classes / 2` rows.

    Args:
        count: rows of the split.
        cap: most rows to keep; None keeps all.
        seed: seed of the order.
        task: the task's name; each task and split has an order of its own.
        split: the split's name.
        classes: class id of each row, `(count,)`, or None for one group.

    Returns:
        Positions in rising order, `(min(count, cap),)`.
    """
    if cap is None or cap >= count:
        return np.arange(count)
    return np.sort(order(count, seed=seed, task=task, split=split, classes=classes)[:cap])


def classes(task: Task, split: str, table: pa.Table) -> Ints | None:
    """Class ids `(rows,)` of a split's rows, for `kept`; None where there are no classes."""
    if task.regression or not layouts.is_labelled(split):
        return None
    return np.asarray(table["label"].to_numpy(), dtype=np.int64)


def order(count: int, *, seed: int, task: str, split: str, classes: Ints | None = None) -> Ints:
    """Positions of all rows `(count,)` in the order in which `kept` takes them; its arguments."""
    groups = np.zeros(count, dtype=np.int64) if classes is None else classes
    # Python promises the same numbers for a seed in every version; NumPy does not.
    draw = random.Random(f"{seed}/{task}/{split}").random
    drawn = np.argsort([draw() for _ in range(count)], kind="stable")
    turn = np.empty(count)
    for group in np.unique(groups):
        rows = drawn[groups[drawn] == group]
        turn[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return drawn[np.argsort(turn[drawn], kind="stable")]

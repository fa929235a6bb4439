"""Compare two systems on the dev rows of one task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.errors import DataError
from pipeline.evaluation import significance
from pipeline.evaluation.bootstrap import Predictions
from pipeline.evaluation.significance import Difference
from pipeline.tasks import Task, part_of

PREDICTION = "prediction_"  # before a system's name, in tables of predictions


@dataclass(frozen=True)
class Comparison:
    """The comparison of two systems on one task.

    Attributes:
        difference: first minus second of the task score, as fractions.
        drawn: the same on resampled dev rows, `(resamples,)`.
        p_value: McNemar's exact p on right and wrong answers; None for a task without accuracy.
    """

    difference: Difference
    drawn: npt.NDArray[np.float64]
    p_value: float | None


def compare(task: Task, splits: Sequence[Predictions]) -> Comparison:
    """Compare the first system with the second: `RESAMPLES` and `SEED` of significance.py.

    Args:
        task: the task.
        splits: the dev splits, each with the predictions of two systems.

    Raises:
        DataError: there are no rows.
        ValueError: a split does not have two systems.
    """
    drawn = significance.differences(
        task, splits, resamples=significance.RESAMPLES, seed=significance.SEED
    )[:, 0]
    value = float(significance.score_difference(task, splits)[0])
    return Comparison(significance.percentile(value, drawn), drawn, _p_value(task, splits))


def mean(comparisons: Sequence[Comparison]) -> Difference:
    """Mean difference over tasks; their rows are drawn independently, so their draws add up.

    Raises:
        DataError: there is no task.
    """
    if not comparisons:
        raise DataError("no task to compare on")
    value = float(np.mean([comparison.difference.value for comparison in comparisons]))
    return significance.percentile(
        value, np.mean([comparison.drawn for comparison in comparisons], axis=0)
    )


def dev_splits(task: Task, table: pa.Table, systems: Sequence[str]) -> dict[str, Predictions]:
    """Predictions of systems on each dev split of a table, by split, in its order.

    Args:
        task: the task, for errors.
        table: columns split, label and `prediction_<system>`.
        systems: names of the systems, in the order wanted.

    Raises:
        DataError: a system has no predictions, there are no dev rows, or one has no label.
    """
    columns = [f"{PREDICTION}{system}" for system in systems]
    if absent := sorted(set(columns) - set(table.column_names)):
        raise DataError(f"no column {absent[0]}", seen=table.column_names, where=task.name)
    names = table["split"].to_numpy()
    splits = {
        split: _predictions(task, table.filter(pa.array(names == split)), columns)
        for split in dict.fromkeys(names)
        if part_of(split) == "dev"
    }
    if not splits:
        raise DataError("no dev rows to compare systems on", where=task.name)
    return splits


def _predictions(task: Task, part: pa.Table, columns: Sequence[str]) -> Predictions:
    if part["label"].null_count:
        raise DataError("a dev row without a label", where=f"{task.name}/{part['split'][0]}")
    return Predictions(
        part["label"].to_numpy(), np.stack([part[name].to_numpy() for name in columns])
    )


def _p_value(task: Task, splits: Sequence[Predictions]) -> float | None:
    if "accuracy" not in task.metrics:
        return None
    right: list[Any] = [split.predicted == split.labels for split in splits]
    first, second = np.concatenate(right, axis=1)
    return significance.mcnemar(first, second)

"""GLUE's official metrics, a task's score and the GLUE score, all as fractions.

Each is a formula of a line or two, and the libraries that have them (sklearn, scipy) take longer to
import than most stages to run; the tests compare them with these libraries.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import DataError
from pipeline.tasks import Task, part_of

Values = npt.NDArray[Any]


def predictions(task: Task, logits: Values) -> Values:
    """The prediction of a model for each row.

    Args:
        task: the task that the logits are of.
        logits: `(rows, classes)`, or `(rows, 1)` for regression; probabilities do as well.

    Returns:
        Class ids `(rows,)` int32, the first class on a tie; for regression the scores `(rows,)`
        float32, cut to the task's range because a submission may not leave it.

    Raises:
        ValueError: the logits do not have the task's shape.
    """
    if logits.ndim != 2 or logits.shape[1] != task.outputs:
        raise ValueError(f"{task.name}: logits {logits.shape}, not (rows, {task.outputs})")
    if task.regression:
        return np.clip(logits[:, 0], task.low, task.high).astype(np.float32)
    return np.asarray(logits.argmax(axis=1), dtype=np.int32)


def scores(task: Task, labels: Values, logits: Values) -> dict[str, float]:
    """Every official metric of one split, by name, as fractions.

    Args:
        task: the task; its `metrics` name them.
        labels: gold class ids or scores, `(rows,)`, none missing.
        logits: `(rows, classes)` or `(rows, 1)`.

    Raises:
        DataError: there are no rows to score.
        ValueError: labels and logits differ in length.
    """
    return prediction_scores(task, labels, predictions(task, logits))


def prediction_scores(task: Task, labels: Values, predicted: Values) -> dict[str, float]:
    """As `scores`, from class ids or scores `(rows,)` in place of logits.

    Raises:
        DataError: there are no rows to score.
        ValueError: labels and predictions differ in length.
    """
    if len(labels) != len(predicted):
        raise ValueError(f"{task.name}: {len(labels)} labels for {len(predicted)} predictions")
    if not len(labels):
        raise DataError("no labelled rows to score", where=task.name, fix="raise the dev row cap")
    return {name: _METRICS[name](labels, predicted) for name in task.metrics}


def task_score(task: Task, per_split: Mapping[str, Mapping[str, float]]) -> float:
    """The task's one number: mean over metrics, then over dev splits (MNLI has two).

    Args:
        task: the task, for its name in errors.
        per_split: split -> metric -> fraction; splits that are not dev splits do not count.

    Raises:
        DataError: no dev split is among them.
    """
    means = [
        fmean(values.values()) for split, values in per_split.items() if part_of(split) == "dev"
    ]
    if not means:
        raise DataError("no dev split was scored", seen=sorted(per_split), where=task.name)
    return fmean(means)


def glue_score(per_task: Mapping[str, float]) -> float:
    """GLUE's macro-average: the plain mean of the task scores (AX is not among them).

    Raises:
        DataError: there is no task.
    """
    if not per_task:
        raise DataError("no task was scored, so there is no GLUE score")
    return fmean(per_task.values())


def _accuracy(labels: Values, predicted: Values) -> float:
    return float(np.mean(labels == predicted))


def _f1(labels: Values, predicted: Values) -> float:
    """F1 of class 1, which GLUE counts as positive; 0 if no row has or is predicted to have it."""
    gold, positive = labels == 1, predicted == 1
    either = int(gold.sum() + positive.sum())
    return 2 * int((gold & positive).sum()) / either if either else 0.0


def _matthews(labels: Values, predicted: Values) -> float:
    """Matthews correlation of any number of classes (Gorodkin 2004); 0 if a side is constant."""
    if _constant(labels) or _constant(predicted):
        return 0.0
    rows, right = len(labels), int((labels == predicted).sum())
    classes = np.union1d(labels, predicted)
    counts = [[int((side == one).sum()) for one in classes] for side in (labels, predicted)]
    chance = sum(map(operator.mul, *counts))
    spread = math.prod(rows**2 - sum(count**2 for count in side) for side in counts)
    return float((right * rows - chance) / math.sqrt(spread))


def _pearson(labels: Values, predicted: Values) -> float:
    """Pearson correlation; undefined if a side is constant, by convention it counts as 0 then."""
    if _constant(labels) or _constant(predicted):
        return 0.0
    return float(np.clip(_direction(labels) @ _direction(predicted), -1.0, 1.0))


def _spearman(labels: Values, predicted: Values) -> float:
    """Pearson correlation of the ranks; 0 if a side is constant."""
    if _constant(labels) or _constant(predicted):
        return 0.0
    return float(np.corrcoef(_ranks(labels), _ranks(predicted))[1, 0])


def _direction(values: Values) -> Values:
    """The values less their mean, of length 1; scaled first, so that no square overflows."""
    moved = values - values.mean(dtype=np.float64)
    largest = np.abs(moved).max()
    if largest == 0:  # constant but for rounding
        return np.zeros(len(values))
    return np.asarray(moved / (largest * np.linalg.vector_norm(moved / largest)))


def _ranks(values: Values) -> Values:
    """Ranks from 1, float64; ties share the middle of their places."""
    _, group, tied = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(tied) - (tied - 1) / 2)[group])


def _constant(values: Values) -> bool:
    return bool(np.all(values == values[0]))


_METRICS: Mapping[str, Callable[[Values, Values], float]] = {
    "accuracy": _accuracy,
    "f1": _f1,
    "matthews": _matthews,
    "pearson": _pearson,
    "spearman": _spearman,
}

"""GLUE's official metrics, a task's score and the GLUE score, all as fractions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import DataError
from pipeline.tasks import Task, part_of

Values = npt.NDArray[Any]


def predictions(task: Task, logits: Values) -> Values:
    """What a model says of each row.

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
        task: the task; its `metrics` say which ones.
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
        raise DataError("no labelled rows to score", where=task.name, mend="raise the dev row cap")
    return {name: _METRICS[name](labels, predicted) for name in task.metrics}


def task_score(task: Task, per_split: Mapping[str, Mapping[str, float]]) -> float:
    """The task's one number: mean over metrics, then over dev splits (MNLI has two).

    Args:
        task: the task, for its name in errors.
        per_split: split -> metric -> fraction; splits that are not dev splits do not count.

    Raises:
        DataError: no dev split is among them.
    """
    means = [fmean(found.values()) for split, found in per_split.items() if part_of(split) == "dev"]
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
    """F1 of class 1, the class that GLUE counts as positive; 0 if no row is or is called so."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels == 1, predicted == 1, zero_division=0.0))


def _matthews(labels: Values, predicted: Values) -> float:
    """Matthews correlation; 0 where a side is constant, as sklearn has it, without its warning."""
    from sklearn.metrics import matthews_corrcoef

    constant = _constant(labels) or _constant(predicted)
    return 0.0 if constant else float(matthews_corrcoef(labels, predicted))


def _pearson(labels: Values, predicted: Values) -> float:
    from scipy.stats import pearsonr

    return _correlation(pearsonr, labels, predicted)


def _spearman(labels: Values, predicted: Values) -> float:
    from scipy.stats import spearmanr

    return _correlation(spearmanr, labels, predicted)


def _correlation(measure: Callable[..., Any], labels: Values, predicted: Values) -> float:
    """A correlation is undefined where a side is constant; by convention it counts as 0."""
    if _constant(labels) or _constant(predicted):
        return 0.0
    found = measure(labels.astype(np.float64), predicted.astype(np.float64))
    return float(np.nan_to_num(found.statistic))


def _constant(values: Values) -> bool:
    return bool(np.all(values == values[0]))


_METRICS: Mapping[str, Callable[[Values, Values], float]] = {
    "accuracy": _accuracy,
    "f1": _f1,
    "matthews": _matthews,
    "pearson": _pearson,
    "spearman": _spearman,
}

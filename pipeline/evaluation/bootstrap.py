"""Task scores on resampled rows: thousands of bootstrap draws at once, from weighted counts.

A draw of rows with replacement is stored as the number of times that each row was drawn. Rows with
the same label and the same predictions are equal to every metric and are counted together, so a
task with two classes has a handful of counts however many rows it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import DataError
from pipeline.tasks import Task

_CELLS = 1 << 16  # counts held at once: small enough to stay in a processor's cache
_CONSTANT_SHARE = 1e-12  # share of the largest variance below which a side counts as constant

Values = npt.NDArray[Any]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Predictions:
    """Predictions of several systems for the rows of one split.

    Attributes:
        labels: gold class ids or scores, `(rows,)`, none missing.
        predicted: class ids or scores, `(systems, rows)`.
    """

    labels: Values
    predicted: Values

    def __post_init__(self) -> None:
        if self.predicted.ndim != 2 or self.predicted.shape[1] != len(self.labels):
            shape = self.predicted.shape
            raise ValueError(f"predictions {shape}, not (systems, {len(self.labels)} rows)")


def task_scores(
    task: Task, splits: Sequence[Predictions], resamples: int, random: np.random.Generator
) -> Doubles:
    """Task scores of every system on resampled rows, `(resamples, systems)`, as fractions.

    Each draw takes as many rows of a split as the split has, with replacement, and scores all
    systems on the same ones. The task score is the mean over metrics, then over splits.

    Raises:
        DataError: there is no split, or one without rows.
    """
    if not splits or not all(len(split.labels) for split in splits):
        raise DataError("no labelled rows to resample", where=task.name)
    per_split = [_split_scores(task, split, resamples, random) for split in splits]
    means: Doubles = np.mean(per_split, axis=0)
    return means


def _split_scores(
    task: Task, split: Predictions, resamples: int, random: np.random.Generator
) -> Doubles:
    whole = np.vstack([split.labels, split.predicted])
    kinds, kind_of, counts = np.unique(whole, axis=1, return_inverse=True, return_counts=True)
    labels, systems = kinds[0], kinds[1:]
    chunks = [
        [
            np.mean([_METRICS[name](labels, predicted, weights) for name in task.metrics], axis=0)
            for predicted in systems
        ]
        for weights in _draws(kind_of.reshape(-1), counts, resamples, random)
    ]
    return np.concatenate(chunks, axis=1).T


def _draws(
    kind_of: Values, counts: Values, resamples: int, random: np.random.Generator
) -> Iterator[Doubles]:
    """Chunks `(draws, kinds)` of how often each kind of row was drawn."""
    rows, kinds = len(kind_of), len(counts)
    step = max(1, _CELLS // kinds)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        if 4 * kinds < rows:
            drawn = random.multinomial(rows, counts / rows, size=size)
        else:  # as likely, and faster where nearly every row is of its own kind
            picks = (kind_of[random.integers(rows, size=rows)] for _ in range(size))
            drawn = np.stack([np.bincount(pick, minlength=kinds) for pick in picks])
        yield drawn.astype(np.float64)


def _accuracy(labels: Values, predicted: Values, weights: Doubles) -> Doubles:
    return _share(weights @ (labels == predicted), weights.sum(axis=1))


def _f1(labels: Values, predicted: Values, weights: Doubles) -> Doubles:
    """F1 of class 1: 2 TP / (2 TP + FP + FN)."""
    gold, positive = labels == 1, predicted == 1
    return _share(
        2 * (weights @ (gold & positive)), weights @ gold.astype(int) + weights @ positive
    )


def _matthews(labels: Values, predicted: Values, weights: Doubles) -> Doubles:
    """Matthews correlation of any number of classes (Gorodkin 2004): a ratio of covariances."""
    rows = weights.sum(axis=1)
    classes = np.union1d(labels, predicted)
    gold = np.stack([weights @ (labels == label) for label in classes])
    predictions = np.stack([weights @ (predicted == label) for label in classes])
    right = weights @ (labels == predicted)
    spread = (rows**2 - (gold**2).sum(axis=0)) * (rows**2 - (predictions**2).sum(axis=0))
    return _share(right * rows - (gold * predictions).sum(axis=0), np.sqrt(spread))


def _pearson(labels: Values, predicted: Values, weights: Doubles) -> Doubles:
    first, second = _standard(labels), _standard(predicted)
    rows = weights.sum(axis=1)
    products = np.stack([first, second, first**2, second**2, first * second], axis=1)
    one, two, one_one, two_two, one_two = (weights @ products).T / rows
    spread = _positive(one_one - one**2, 1.0) * _positive(two_two - two**2, 1.0)
    return _share(one_two - one * two, np.sqrt(spread))


def _spearman(labels: Values, predicted: Values, weights: Doubles) -> Doubles:
    """Pearson correlation of mid-ranks; each draw is ranked again."""
    rows = weights.sum(axis=1)
    first, one_one = _ranks(labels, weights)
    second, two_two = _ranks(predicted, weights)
    one_two = np.einsum("ij,ij,ij->i", weights, first, second)
    spread = _positive(one_one, rows**3) * _positive(two_two, rows**3)
    return _share(one_two, np.sqrt(spread))


def _ranks(values: Values, weights: Doubles) -> tuple[Doubles, Doubles]:
    """Mid-ranks less their mean, `(draws, kinds)`, and the sum of their squares, `(draws,)`."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=np.nan) != 0)
    tied = np.add.reduceat(weights[:, order], starts, axis=1)
    # Ties share the middle of their places.
    middle = np.cumsum(tied, axis=1) - tied / 2 - tied.sum(axis=1, keepdims=True) / 2
    group = np.empty(len(values), dtype=np.int64)
    group[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(values)))
    return middle[:, group], np.einsum("ij,ij,ij->i", tied, middle, middle)


def _standard(values: Values) -> Doubles:
    """Values moved to mean 0 and scaled to variance 1, which no correlation notices."""
    moved: Doubles = values.astype(np.float64) - values.mean(dtype=np.float64)
    scale = float(np.sqrt(np.mean(moved**2)))
    return moved / (scale or 1.0)


def _positive(variance: Doubles, scale: Doubles | float) -> Doubles:
    """A variance, 0 where it is only a rounding error."""
    positive: Doubles = np.where(variance > _CONSTANT_SHARE * scale, variance, 0.0)
    return positive


def _share(part: Doubles, whole: Doubles) -> Doubles:
    """`part / whole`, 0 where there is no whole, as in `metrics`."""
    share: Doubles = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    return share


_METRICS: Mapping[str, Callable[[Values, Values, Doubles], Doubles]] = {
    "accuracy": _accuracy,
    "f1": _f1,
    "matthews": _matthews,
    "pearson": _pearson,
    "spearman": _spearman,
}

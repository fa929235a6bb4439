"""Intervals and tests of differences: paired bootstrap, McNemar's test, Holm, spread over seeds.

A run of the pipeline compares two systems in compare.py, by `differences`, `percentile` and
`mcnemar`; summary.py applies `holm` to its p-values. seeds.py compares several runs, by
`seeds_and_rows_bootstrap` and `over_seeds`.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from pipeline import metrics
from pipeline.errors import DataError
from pipeline.evaluation.bootstrap import Predictions, task_scores
from pipeline.tasks import Task

RESAMPLES = 5_000
SEED = 0
CONFIDENCE = 0.95

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """A difference of two scores with its interval, as fractions.

    Attributes:
        value: first minus second.
        low: lower end of the interval.
        high: upper end.
    """

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval is on one side of 0."""
        return self.low > 0 or self.high < 0


def seeds_and_rows_bootstrap(
    tasks: Sequence[tuple[Task, Sequence[Predictions]]],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Difference:
    """Mean over tasks and training seeds of first minus second, with a percentile interval.

    Each draw takes seeds, then rows. All tasks take the same seeds, since one run trains one
    student on all of them, and all seeds take the same rows, since every run is scored on them.
    n seeds are drawn as n - 1 with replacement: the variance of their mean is then that of a mean
    of n, where n draws would give (n - 1) / n of it (Rao and Wu 1988). A bootstrap still knows
    only the seeds there are. In simulations with three of them the interval holds the true mean in
    95 % or more where dev rows decide, and in 80 to 90 % where seeds spread wider than rows;
    the t interval of `over_seeds` keeps its 95 % of the mean on these very rows in both, so report
    it as well.

    Args:
        tasks: each task with its dev splits; the predictions of a split are those of first and
            second with the first seed, then with the second seed, and so on.
        resamples: number of draws.
        seed: seed of the draws.

    Raises:
        DataError: there is no task, or one without rows.
        ValueError: a split does not have two systems per seed, or tasks differ in their seeds.
    """
    if not tasks:
        raise DataError("no task to compare on")
    values = np.mean([score_difference(task, splits) for task, splits in tasks], axis=0)
    drawn = np.mean(
        [differences(task, splits, resamples=resamples, seed=seed) for task, splits in tasks],
        axis=0,
    )
    return percentile(float(values.mean()), _over_drawn_seeds(drawn, seed))


def differences(task: Task, splits: Sequence[Predictions], *, resamples: int, seed: int) -> Doubles:
    """Task score of first minus second on resampled rows, `(resamples, seeds)`.

    Rows are drawn with replacement, each split's from that split, and both systems are scored on
    the same ones, so what a row has in common for both is no part of the spread (Efron and
    Tibshirani 1993, chapter 13; for systems on one test set: Koehn 2004). Every task has a stream
    of random numbers of its own.

    Means of several tasks' draws are draws of their mean, since each task has its own rows.

    Raises:
        DataError: there are no rows.
        ValueError: a split does not have two systems per seed.
    """
    _check_pairs(task, splits)
    random = np.random.default_rng([seed, zlib.crc32(task.name.encode())])
    scores = task_scores(task, splits, resamples, random)
    drawn: Doubles = scores[:, 0::2] - scores[:, 1::2]
    return drawn


def score_difference(task: Task, splits: Sequence[Predictions]) -> Doubles:
    """Task score of first minus second on all rows, `(seeds,)`; raises like `differences`."""
    _check_pairs(task, splits)
    scores = [_task_score(task, splits, at) for at in range(len(splits[0].predicted))]
    return np.subtract(scores[0::2], scores[1::2])


def percentile(value: float, drawn: Doubles, confidence: float = CONFIDENCE) -> Difference:
    """A difference with the percentile interval of its draws `(resamples,)`."""
    outside = (1 - confidence) / 2
    low, high = np.quantile(drawn, [outside, 1 - outside])
    return Difference(float(value), float(low), float(high))


def mcnemar(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Two-sided p of McNemar's exact test that both systems are right equally often.

    Of the rows that only one system has right, each is the first's with chance 1/2 if they are
    equally good: a binomial test, 1 if there is no such row.

    Args:
        first: whether the first system is right, `(rows,)`.
        second: the same of the second, on the same rows.

    Raises:
        ValueError: they differ in length.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} rows of one system, {len(second)} of the other")
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    if not only_first + only_second:
        return 1.0
    return float(stats.binomtest(only_first, only_first + only_second).pvalue)


def holm(p_values: pd.Series[float]) -> pd.Series[float]:
    """Every p, corrected for testing all of them (Holm 1979), in the order they come in.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none may be smaller than
    one before it, or above 1. What stays below 0.05 is significant with a chance of 5 % at most
    that any of the rejected hypotheses is true.
    """
    ordered = p_values.sort_values()
    corrected = (ordered * np.arange(len(ordered), 0, -1)).clip(upper=1.0).cummax()
    return corrected.reindex(p_values.index)


def over_seeds(values: pd.DataFrame, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Means over training seeds, with what the spread over seeds alone tells of them.

    Args:
        values: a row per seed, a column per figure.
        confidence: that of the interval.

    Returns:
        A row per figure: `mean`; `deviation`, the sample standard deviation (n - 1); `t_low` and
        `t_high`, Student's t interval of the mean on these very rows. All but the mean are NaN for
        a single seed.

    Raises:
        DataError: there is no value.
    """
    if values.empty:
        raise DataError("no seed to take the mean over")
    mean = values.mean()
    reach = values.sem() * stats.t.ppf((1 + confidence) / 2, len(values) - 1)
    columns = {"mean": mean, "deviation": values.std()}
    return pd.DataFrame({**columns, "t_low": mean - reach, "t_high": mean + reach})


def _over_drawn_seeds(drawn: Doubles, seed: int) -> Doubles:
    """Mean over seeds, resampled for each row of `(resamples, seeds)`."""
    resamples, count = drawn.shape
    if count == 1:
        return drawn[:, 0]
    picks = np.random.default_rng([seed]).integers(count, size=(resamples, count - 1))
    means: Doubles = np.take_along_axis(drawn, picks, axis=1).mean(axis=1)
    return means


def _task_score(task: Task, splits: Sequence[Predictions], system: int) -> float:
    per_split = {
        f"dev_{place}": metrics.prediction_scores(task, split.labels, split.predicted[system])
        for place, split in enumerate(splits)
    }
    return metrics.task_score(task, per_split)


def _check_pairs(task: Task, splits: Sequence[Predictions]) -> None:
    if not splits:
        raise DataError("no labelled rows to compare on", where=task.name)
    counts: list[Any] = [len(split.predicted) for split in splits]
    if any(count < 2 or count % 2 or count != counts[0] for count in counts):
        raise ValueError(f"predictions of {counts} systems in the splits, not two a seed")

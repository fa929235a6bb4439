"""Compute the reported figures: task scores, GLUE score, differences, the gain that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline import metrics
from pipeline.evaluation import compare, significance
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.significance import Difference
from pipeline.evaluation.systems import (
    BASELINE,
    BASELINES,
    ENSEMBLE,
    MAJORITY,
    MULTITASK,
    STUDENT,
    TEACHER,
)

EVERYWHERE = (MAJORITY, MULTITASK, *BASELINES, BASELINE, STUDENT)
"""Systems that every task has, if any has them."""
GLUE, TAUGHT = "glue", "teacher_tasks"  # names of the two means
AGAINST = ("student", "baseline", "difference", "low", "high")
GLUE_TASKS = 9
LEVEL = 0.05  # percent points: differences below it show as 0.0 and count as none
DIGITS = 4  # of percents and shares in files


@dataclass(frozen=True)
class Gain:
    """Mean task scores over the tasks with teachers, as fractions.

    Attributes:
        tasks: names of those tasks.
        teachers: the single teachers' mean.
        ensemble: the ensembles' mean.
        baseline: the baseline's mean.
        student: the student's mean.
        difference: student minus baseline, with its interval.
    """

    tasks: tuple[str, ...]
    teachers: float
    ensemble: float
    baseline: float
    student: float
    difference: Difference

    @property
    def kept(self) -> float | None:
        """(student - baseline) / (ensemble - baseline); None if the ensemble gains nothing."""
        whole = self.ensemble - self.baseline
        return (self.student - self.baseline) / whole if percent(whole) > 0 else None


def percent(fraction: float) -> float:
    """A fraction as percent, rounded as in the metrics file."""
    return round(100 * fraction, DIGITS)


def scores(results: Sequence[TaskResult]) -> pd.DataFrame:
    """Every score of every system, one row per score, as fractions.

    Returns:
        Columns task, title, system, metric, value, in the order of tasks, systems and metrics. A
        task with several dev splits names the split in its metrics (accuracy_matched); metric
        `score` is the task score, the mean of the others.
    """
    rows = [
        (result.task.name, result.task.title, system, metric, value)
        for result in results
        for system in result.scores
        for metric, value in named(result, system).items()
    ]
    return pd.DataFrame(rows, columns=["task", "title", "system", "metric", "value"])


def task_scores(results: Sequence[TaskResult]) -> pd.DataFrame:
    """Task scores as fractions, tasks by systems; NaN where a task has no such system."""
    table = scores(results).query("metric == 'score'")
    wide = table.pivot_table(index="task", columns="system", values="value", sort=False)
    return wide.reindex([result.task.name for result in results])


def named(result: TaskResult, system: str) -> dict[str, float]:
    """One system's figures on one task, as fractions by name; see `scores`."""
    figures = {
        metric if split == "dev" else f"{metric}_{split.removeprefix('dev_')}": value
        for split, per_metric in result.scores[system].items()
        for metric, value in per_metric.items()
    }
    return {**figures, "score": result.score(system)}


def against_baseline(results: Sequence[TaskResult]) -> pd.DataFrame:
    """Student and baseline by task, as fractions.

    Returns:
        Index: tasks. Columns student, baseline, difference, low, high: task scores, first minus
        second, and the ends of the interval of that difference.
    """
    rows = {
        result.task.name: _against(
            result.score(STUDENT), result.score(BASELINE), result.comparison.difference
        )
        for result in results
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(AGAINST))


def means_against_baseline(results: Sequence[TaskResult]) -> pd.DataFrame:
    """The columns of `against_baseline` for `glue` and `teacher_tasks`, where there are any.

    `glue` is the GLUE score, `teacher_tasks` the mean over the tasks with teachers.
    """
    rows = {}
    if gap := glue_difference(results):
        means = glue(results)
        rows[GLUE] = _against(means[STUDENT], means[BASELINE], gap)
    if means_taught := gain(results):
        rows[TAUGHT] = _against(
            means_taught.student, means_taught.baseline, means_taught.difference
        )
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(AGAINST))


def _against(student: float, baseline: float, gap: Difference) -> tuple[float, ...]:
    return student, baseline, gap.value, gap.low, gap.high


def glue(results: Sequence[TaskResult]) -> dict[str, float]:
    """GLUE score of the systems that every task has: mean over those of its nine that are there.

    Custom tasks do not count. {} if none of the nine is there.
    """
    tasks = [result for result in results if result.task.glue]
    if not tasks:
        return {}
    return {
        system: metrics.glue_score({task.task.name: task.score(system) for task in tasks})
        for system in EVERYWHERE
        if all(system in task.scores for task in tasks)
    }


def glue_difference(results: Sequence[TaskResult]) -> Difference | None:
    """Student's GLUE score minus the baseline's, with its interval; None without GLUE tasks."""
    tasks = [result.comparison for result in results if result.task.glue]
    return compare.mean(tasks) if tasks else None


def gain(results: Sequence[TaskResult]) -> Gain | None:
    """The means over the tasks with teachers; None if there are none."""
    taught = [result for result in results if result.members]
    if not taught:
        return None
    table = task_scores(taught)
    single = table.loc[:, table.columns.str.startswith(TEACHER)].mean(axis="columns")
    means = table[[ENSEMBLE, BASELINE, STUDENT]].mean()
    return Gain(
        tasks=tuple(map(str, table.index)),
        teachers=float(single.mean()),
        ensemble=float(means[ENSEMBLE]),
        baseline=float(means[BASELINE]),
        student=float(means[STUDENT]),
        difference=compare.mean([result.comparison for result in taught]),
    )


def points_over_baseline(table: pd.DataFrame) -> pd.Series[float]:
    """Student minus baseline of a table of `against_baseline`, in percent points as `points`."""
    gaps = (100 * (table[STUDENT] - table[BASELINE])).round(DIGITS)
    return gaps.where(gaps.abs() >= LEVEL, 0.0)


def points(first: float, second: float) -> float:
    """First minus second, fractions, in percent points; 0 below `LEVEL`."""
    gap = percent(first - second)
    return 0.0 if abs(gap) < LEVEL else gap


def p_values(results: Sequence[TaskResult]) -> pd.DataFrame:
    """McNemar's test of student and baseline, by task that has one.

    Returns:
        Index: tasks. Columns p and p_holm: the p-value, and after Holm's correction over the tasks.
    """
    plain = {r.task.name: p for r in results if (p := r.comparison.p_value) is not None}
    column = pd.Series(plain, dtype="float64")
    return pd.DataFrame({"p": column, "p_holm": significance.holm(column)})

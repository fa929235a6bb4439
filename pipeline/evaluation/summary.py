"""Compute the reported figures: task scores, GLUE score, differences, the gain that is kept."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline import metrics
from pipeline.evaluation import agreement, compare, significance
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.significance import Difference
from pipeline.evaluation.systems import BASELINE, ENSEMBLE, MAJORITY, STUDENT, TEACHER

EVERYWHERE = (MAJORITY, BASELINE, STUDENT)
GLUE, TAUGHT = "glue", "teacher_tasks"  # names of the two means
AGAINST = ("student", "baseline", "difference", "low", "high")
GLUE_TASKS = 9
LEVEL = 0.05  # percent points: differences below it show as 0.0 and count as none
_DIGITS, _SHORT_DIGITS = 4, 2


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
    return round(100 * fraction, _DIGITS)


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
    gaps = (100 * (table[STUDENT] - table[BASELINE])).round(_DIGITS)
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


def nested(results: Sequence[TaskResult]) -> dict[str, Any]:
    """Everything, as in reports/metrics.json.

    Percent, but for counts, the share kept, p, kappa and correlations.
    """
    gained, tests = gain(results), p_values(results).map(_significant).to_dict("index")
    whole: dict[str, Any] = {
        "glue": {"tasks": sum(result.task.glue for result in results), **_percents(glue(results))},
        "tasks": {r.task.name: _of_task(r, tests.get(r.task.name)) for r in results},
        "gain_kept": None,
        "statistics": _method(),
    }
    if gap := glue_difference(results):
        whole["glue"]["student_minus_baseline"] = _interval(gap)
    if gained:
        kept = gained.kept
        whole["gain_kept"] = None if kept is None else round(kept, _DIGITS)
        means = {
            **_percents(_means(gained)),
            "student_minus_baseline": _interval(gained.difference),
        }
        whole["teacher_tasks"] = {"tasks": list(gained.tasks), **means}
    return whole


def summary(results: Sequence[TaskResult]) -> dict[str, Any]:
    """The figures of `dvc metrics diff`, as in reports/summary.json: is the student better?

    Returns:
        `tasks` -> task, `glue` and `teacher_tasks` (where there are any) -> student, baseline,
        difference, low, high, in percent; `gain_kept`, where there is a gain, as a fraction.
    """
    short: dict[str, Any] = {
        "tasks": _rounded(against_baseline(results)),
        **_rounded(means_against_baseline(results)),
    }
    means = gain(results)
    if means and means.kept is not None:
        short["gain_kept"] = round(means.kept, _SHORT_DIGITS) + 0.0  # no "-0.0"
    return short


def _rounded(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    percents = (100 * table).round(_SHORT_DIGITS) + 0.0  # no "-0.0"
    lines = zip(percents.index, percents.to_numpy().tolist(), strict=True)
    return {str(row): dict(zip(AGAINST, figures, strict=True)) for row, figures in lines}


def long(results: Sequence[TaskResult]) -> pd.DataFrame:
    """Every score as in reports/scores.csv: task's title, system, metric, value in percent."""
    table = scores(results).drop(columns="task").rename(columns={"title": "task"})
    return table.assign(value=table["value"].map(percent))


def _of_task(result: TaskResult, test: Mapping[Hashable, float] | None) -> dict[str, Any]:
    figures: dict[str, Any] = {
        system: _percents(named(result, system))
        for system in result.scores
        if not system.startswith(TEACHER)
    }
    figures["student_minus_baseline"] = _interval(result.comparison.difference)
    if test:
        figures["mcnemar"] = dict(test)
    if result.calibration_errors:
        figures["calibration_error"] = _percents(result.calibration_errors)
    if result.members:
        figures["teachers"] = {
            member: _percents(named(result, f"{TEACHER}{member}")) for member in result.members
        }
    if result.agreement:
        pairs = {" and ".join(pair): _shares(one) for pair, one in result.agreement.items()}
        figures["agreement"] = {"mean": _shares(agreement.mean(result.agreement)), "pairs": pairs}
    return figures


def _method() -> dict[str, Any]:
    """How intervals and p-values are computed."""
    return {
        "interval": "percentile of paired bootstrap over dev rows",
        "confidence": significance.CONFIDENCE,
        "resamples": significance.RESAMPLES,
        "seed": significance.SEED,
        "test": "McNemar, exact, two-sided",
        "correction": "Holm",
    }


def _interval(gap: Difference) -> dict[str, float]:
    return {
        "score": percent(gap.value),
        "low": percent(gap.low),
        "high": percent(gap.high),
    }


def _shares(measures: Mapping[str, float | None]) -> dict[str, float | None]:
    """Agreement in percent, the rest as it is."""
    return {
        name: None
        if value is None
        else (percent(value) if name == agreement.AGREEMENT else round(value, _DIGITS))
        for name, value in measures.items()
    }


def _significant(p: float) -> float:
    return float(f"{p:.{_DIGITS}g}")


def _means(means: Gain) -> dict[str, float]:
    names = ("teachers", ENSEMBLE, BASELINE, STUDENT)
    return {name: getattr(means, name) for name in names}


def _percents(values: Mapping[str, float]) -> dict[str, float]:
    return {name: percent(value) for name, value in values.items()}

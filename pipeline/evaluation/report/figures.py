"""The figures of the report files: all of them, those of `dvc metrics diff`, one score a line."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.evaluation import agreement, significance
from pipeline.evaluation.baselines import Choice
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import cost
from pipeline.evaluation.significance import Difference
from pipeline.evaluation.summary import (
    AGAINST,
    DIGITS,
    Gain,
    against_baseline,
    gain,
    glue,
    glue_difference,
    means_against_baseline,
    named,
    p_values,
    percent,
    scores,
)
from pipeline.evaluation.systems import BASELINE, ENSEMBLE, STUDENT, TEACHER

_SHORT_DIGITS = 2


def nested(results: Sequence[TaskResult]) -> dict[str, Any]:
    """Everything, as in reports/metrics.json.

    Percent, but for counts, the share kept, p, kappa and correlations.
    """
    gained, tests = gain(results), p_values(results).map(_significant).to_dict("index")
    whole: dict[str, Any] = {
        "glue": {"tasks": sum(result.task.glue for result in results), **_percents(glue(results))},
        "tasks": {r.task.name: _of_task(r, tests.get(r.task.name)) for r in results},
        "gain_kept": None,
        "baseline": _choice(results[0].choice),
        "cost": cost.costs(results),
        "statistics": _method(),
    }
    if gap := glue_difference(results):
        whole["glue"]["student_minus_baseline"] = _interval(gap)
    if gained:
        kept = gained.kept
        whole["gain_kept"] = None if kept is None else round(kept, DIGITS)
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


def _choice(choice: Choice) -> dict[str, Any]:
    """The baseline that counts, and why."""
    return {
        "budget": choice.budget,
        "rule": choice.rule,
        "scores": _percents(choice.scores),
        "held_out_rows": choice.rows,
    }


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
        else (percent(value) if name == agreement.AGREEMENT else round(value, DIGITS))
        for name, value in measures.items()
    }


def _significant(p: float) -> float:
    return float(f"{p:.{DIGITS}g}")


def _means(means: Gain) -> dict[str, float]:
    names = ("teachers", ENSEMBLE, BASELINE, STUDENT)
    return {name: getattr(means, name) for name in names}


def _percents(values: Mapping[str, float]) -> dict[str, float]:
    return {name: percent(value) for name, value in values.items()}

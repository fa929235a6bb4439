"""The two tables of the results: scores; tests, calibration and agreement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

import pandas as pd

from pipeline.evaluation import agreement, significance, summary
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import label_notes
from pipeline.evaluation.report.markdown_table import markdown
from pipeline.evaluation.systems import (
    BASELINE,
    BASELINES,
    ENSEMBLE,
    MAJORITY,
    MULTITASK,
    STUDENT,
    TEACHER,
    TUNED,
    baseline_of,
)

SCORES_CAPTION = (
    "Percent, on dev rows. Single teachers: mean, and in brackets the lowest and highest task "
    "score; where a cell has two figures the difference is that of their mean. In brackets behind "
    f"a difference: its {100 * significance.CONFIDENCE:.0f} % interval over "
    f"{significance.RESAMPLES:,} paired bootstrap resamples of the dev rows (percentiles, seed "
    f"{significance.SEED}). Multi-task: the best candidate, one model on gold labels. Baseline: "
    "the one that counts; where another was trained it has a column of its own."
)
CHECKS_CAPTION = (
    "McNemar p: exact two-sided test that student and baseline are right on equally many dev rows; "
    "Holm p: after Holm's correction for all tests of the column. ECE: expected calibration error, "
    "percent, 15 bins. Members agree: percent of dev rows that two members put into the same "
    "class, mean over pairs, with Cohen's kappa; r: Pearson correlation of their scores."
)
_TASK, _MAJORITY, _TEACHERS = "Task (metric)", "Majority", "Single teachers"
_ENSEMBLE, _BASELINE, _STUDENT, _TUNED = "Ensemble", "Baseline", "Student", "Tuned"
_DIFFERENCE = "Student - baseline"
_COLUMNS = {
    MAJORITY: _MAJORITY,
    TEACHER: _TEACHERS,
    ENSEMBLE: _ENSEMBLE,
    MULTITASK: "Multi-task",
    **{name: name.replace("_", ", ").capitalize() for name in BASELINES},
    BASELINE: _BASELINE,
    STUDENT: _STUDENT,
    TUNED: _TUNED,
    _DIFFERENCE: _DIFFERENCE,
}
"""Title of each system's column."""
_TESTS, _AGREEMENT = {"p": "McNemar p", "p_holm": "Holm p"}, "Members agree"
_CALIBRATED = (ENSEMBLE, BASELINE, STUDENT, TUNED)
_OPTIONAL = (MULTITASK, *BASELINES, TUNED)
"""Systems with a column only where a task has them, and no other has the same figures."""
_SIZES, _SYSTEMS_WITH_SIZE = "Parameters, millions", (BASELINE, STUDENT, *_OPTIONAL)
_NONE = "-"
_SMALLEST_P = 0.001
_METRIC_NAMES = {"f1": "F1", "matthews": "Matthews", "pearson": "Pearson", "spearman": "Spearman"}


def scores(results: Sequence[TaskResult]) -> str:
    """Every system's scores by task; those that not every run has only where a task has them."""
    table = pd.concat([_by_task(results), _means(results), _sizes(results)])
    there = _optional(results)
    systems = [system for system in _COLUMNS if system in there or system not in _OPTIONAL]
    table = table.reindex(columns=systems).fillna(_NONE)
    table[STUDENT] = table[STUDENT].where(table.index == _SIZES, "**" + table[STUDENT] + "**")
    return markdown(table.rename(columns=_COLUMNS).rename_axis(_TASK).reset_index())


def _optional(results: Sequence[TaskResult]) -> list[str]:
    """Optional systems of these tasks; the baseline that counts has its column already."""
    counts = baseline_of(results[0].choice.budget)
    return [
        system
        for system in _OPTIONAL
        if system != counts and any(system in result.scores for result in results)
    ]


def checks(results: Sequence[TaskResult]) -> str:
    """Tests, calibration and the members' agreement by task."""
    titles = {result.task.name: result.task.title for result in results}
    tests = summary.p_values(results).map(_p).rename(columns=_TESTS)
    errors = pd.DataFrame.from_dict(
        {result.task.name: dict(result.calibration_errors) for result in results}, orient="index"
    ).map(_percent)
    errors = errors.reindex(columns=[system for system in _CALIBRATED if system in errors])
    agreement_cells = pd.Series({result.task.name: _agreement_cell(result) for result in results})
    table = pd.DataFrame({"Task": titles})
    table = table.join(tests).join(errors.add_prefix("ECE ")).astype("object").fillna(_NONE)
    return markdown(table.assign(**{_AGREEMENT: agreement_cells}))


def _by_task(results: Sequence[TaskResult]) -> pd.DataFrame:
    """Cells of all tasks, lines by systems; all teachers of a task are in one cell."""
    figures = summary.scores(results)
    figures["system"] = figures["system"].where(~figures["system"].str.startswith(TEACHER), TEACHER)
    cells = _metric_cells(figures)
    if TEACHER in cells:
        cells[TEACHER] = cells[TEACHER] + _ranges(figures).reindex(cells.index).fillna("")
    cells[_DIFFERENCE] = _gaps(summary.against_baseline(results))
    titles = {r.task.name: f"{r.task.title} ({_metric_names(r)})" for r in results}
    return cells.reindex(list(titles)).rename(index=titles)


def _metric_cells(figures: pd.DataFrame) -> pd.DataFrame:
    """Each metric's mean over systems of one name, without the task score, which follows."""
    metrics = figures[figures["metric"] != "score"]
    means = metrics.groupby(["task", "system", "metric"], sort=False)["value"].agg(fmean)
    joined = means.map(_percent).groupby(level=["task", "system"], sort=False).agg(" / ".join)
    return joined.unstack("system")


def _ranges(figures: pd.DataFrame) -> pd.Series[str]:
    """Lowest and highest task score of a task's teachers, where it has several."""
    single = figures[(figures["system"] == TEACHER) & (figures["metric"] == "score")]
    ends = single.groupby("task", sort=False)["value"].agg(["min", "max", "count"])
    ends = ends[ends["count"] > 1]
    return " (" + _percents(ends["min"]) + " to " + _percents(ends["max"]) + ")"


def _metric_names(result: TaskResult) -> str:
    """Names of a cell's figures, in their order; the dev splits' names where there are several."""
    names = " / ".join(_METRIC_NAMES.get(name, name) for name in result.task.metrics)
    splits = [split.removeprefix("dev_") for split in result.scores[STUDENT] if split != "dev"]
    return f"{names}; {' / '.join(splits)}" if splits else names


def _means(results: Sequence[TaskResult]) -> pd.DataFrame:
    """The lines of the GLUE score and of the mean over tasks with teachers."""
    rows = summary.means_against_baseline(results)
    whole = rows.loc[:, [STUDENT, BASELINE]]
    for system, score in summary.glue(results).items():
        whole.loc[summary.GLUE, system] = score
    if means := summary.gain(results):
        whole.loc[summary.TAUGHT, [TEACHER, ENSEMBLE]] = [means.teachers, means.ensemble]
        taught = summary.task_scores([result for result in results if result.members])
        for system in {MULTITASK, *BASELINES} & set(taught):
            whole.loc[summary.TAUGHT, system] = taught[system].mean()
    cells = whole.map(_percent, na_action="ignore").assign(**{_DIFFERENCE: _gaps(rows)})
    return cells.rename(index=_mean_names(results))


def _mean_names(results: Sequence[TaskResult]) -> dict[str, str]:
    count = sum(result.task.glue for result in results)
    taught = sum(bool(result.members) for result in results)
    of = "" if count == summary.GLUE_TASKS else f" over {count} of {summary.GLUE_TASKS} tasks"
    return {
        summary.GLUE: f"**GLUE score{of}**",
        summary.TAUGHT: f"Mean over tasks with teachers ({taught})",
    }


def _sizes(results: Sequence[TaskResult]) -> pd.DataFrame:
    """The line of parameters in millions; for a teacher with folds, of all its models."""
    sizes = pd.DataFrame(
        [
            (
                result.task.name,
                system,
                sum(single["parameters"] for single in label_notes.models(model)),
            )
            for result in results
            for system, model in result.models.items()
            if system in result.scores
        ],
        columns=["task", "system", "parameters"],
    )
    teachers = sizes[sizes["system"].str.startswith(TEACHER)]
    ensembles = teachers.groupby("task")["parameters"].sum()
    own = sizes.groupby("system")["parameters"]
    cells = {TEACHER: _millions(teachers["parameters"]), ENSEMBLE: _millions(ensembles)}
    cells |= {
        str(system): _millions(group) for system, group in own if system in _SYSTEMS_WITH_SIZE
    }
    return pd.DataFrame(cells, index=[_SIZES])


def _millions(sizes: pd.Series[int]) -> str:
    """One size, or the smallest and the largest where they differ as shown."""
    ends = dict.fromkeys(f"{size / 1e6:.2f}" for size in sizes.agg(["min", "max"]).dropna())
    return " to ".join(ends) or _NONE


def _gaps(table: pd.DataFrame) -> pd.Series[str]:
    """Differences with their intervals: +1.7 (0.3 to 3.1)."""
    signed = summary.points_over_baseline(table).map(_signed).astype("str")
    return signed + " (" + _percents(table["low"]) + " to " + _percents(table["high"]) + ")"


def _signed(points: float) -> str:
    return f"{points:+.1f}" if points else "0.0"


def _percents(fractions: pd.Series[float]) -> pd.Series[str]:
    return fractions.map(_percent).astype("str")  # of text even where there is no line


def _percent(fraction: float | None) -> str:
    if fraction is None or math.isnan(fraction):
        return _NONE
    shown = f"{100 * fraction:.1f}"
    return "0.0" if shown == "-0.0" else shown


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= _SMALLEST_P else f"< {_SMALLEST_P}"


def _agreement_cell(result: TaskResult) -> str:
    means = agreement.mean(result.agreement)
    kappa, correlation = means.get(agreement.KAPPA), means.get(agreement.CORRELATION)
    if correlation is not None:
        return f"r {correlation:.2f}"
    shown = _percent(means.get(agreement.AGREEMENT))
    return shown if kappa is None else f"{shown} (kappa {kappa:.2f})"

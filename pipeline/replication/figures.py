"""Figures of a setting over its seeds: scores, and differences with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from pipeline import paths
from pipeline.evaluation import seeds as replicates
from pipeline.evaluation import summary
from pipeline.evaluation.systems import BASELINE, BASELINES, ENSEMBLE, MULTITASK, STUDENT
from pipeline.replication.settings import Setting
from pipeline.runtime import artifacts
from pipeline.tasks import GLUE

_SYSTEMS = (BASELINE, STUDENT, ENSEMBLE, MULTITASK, *BASELINES)
"""Systems that are reported where a run has them."""

Folders = Mapping[str, Mapping[int, Path]]  # data/evaluation by setting and seed


def gather(setting: Setting, folders: Folders) -> dict[str, Any]:
    """Everything about one setting that is finished with one seed or more.

    Args:
        setting: the setting.
        folders: data/evaluation of its runs, and of those of the setting that it is compared with.

    Returns:
        `scores`: system -> task -> a score for each of `seeds`; `teachers`: task -> member -> mean
        score; `difference`: task -> student minus baseline; `difference_taught` and
        `difference_glue`: that of the means over the tasks with teachers and over GLUE's, None
        where there are none; `against`: the same three of the student minus the other setting's, on
        the seeds that both have; `kept`: the share of the ensembles' lead. Percent, and points.
    """
    own = folders[setting.name]
    metrics = [artifacts.read_json(folder / paths.METRICS.name) for folder in own.values()]
    tasks = {"all": _tasks(metrics)}
    tasks["taught"] = list(metrics[0].get("teacher_tasks", {}).get("tasks", []))
    tasks["glue"] = [task for task in tasks["all"] if task in GLUE]
    scores = _scores(metrics)
    figures: dict[str, Any] = {
        "title": setting.title,
        "group": setting.group,
        "changes": list(setting.changes),
        "seeds": list(own),
        "scores": scores,
        "teachers": _teachers(metrics),
        "kept": _kept(scores, tasks["taught"]),
        **_differences(list(own.values()), tasks),
    }
    other = folders.get(setting.against, {})
    if both := [seed for seed in own if seed in other]:
        counterparts = [other[seed] for seed in both]
        compared = _differences([own[seed] for seed in both], tasks, counterparts)
        figures["against"] = {"setting": setting.against, "seeds": both, **compared}
    return figures


def share_kept(student: float, baseline: float, ensemble: float) -> float | None:
    """Share of the ensemble's lead over the baseline that the student has, of scores in percent.

    None where the ensemble has no lead, as in the reports.
    """
    lead = ensemble - baseline
    return (student - baseline) / lead if summary.percent(lead / 100) > 0 else None


def _tasks(metrics: Sequence[Any]) -> list[str]:
    """The tasks that every run has evaluated."""
    return [task for task in metrics[0]["tasks"] if all(task in run["tasks"] for run in metrics)]


def _differences(
    runs: Sequence[Path], tasks: Mapping[str, Sequence[str]], others: Sequence[Path] = ()
) -> dict[str, Any]:
    """Student minus baseline; with others, minus the student of the run in the same place."""
    second = STUDENT if others else BASELINE
    means = {}
    compared = replicates.compare(runs, tasks["all"], STUDENT, second, others=others)
    for name in ("taught", "glue"):
        if tasks[name] == tasks["all"]:
            means[name] = _intervals(compared)[replicates.MEAN]
        elif tasks[name]:
            part = replicates.compare(runs, tasks[name], STUDENT, second, others=others)
            means[name] = _intervals(part)[replicates.MEAN]
    return {
        "difference": _intervals(compared.drop(replicates.MEAN)),
        "difference_taught": means.get("taught"),
        "difference_glue": means.get("glue"),
    }


def _intervals(differences: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """By row, in percent points: mean, interval over seeds and rows, spread over seeds alone."""
    points = (100 * differences).astype(object).where(differences.notna(), None)
    return {
        str(name): {
            **{key: row[key] for key in ("mean", "low", "high", "deviation")},
            "seeds_only": None if row["deviation"] is None else [row["t_low"], row["t_high"]],
        }
        for name, row in points.to_dict("index").items()
    }


def _scores(metrics: Sequence[Any]) -> dict[str, dict[str, list[float]]]:
    """Task scores in percent: system -> task -> one score per seed; a system has its own tasks."""
    rows = [
        {"system": system, "task": task, "score": figures[system]["score"]}
        for run in metrics
        for task, figures in run["tasks"].items()
        for system in _SYSTEMS
        if system in figures
    ]
    lists = pd.DataFrame(rows).groupby(["system", "task"], sort=False)["score"].agg(list)
    return {system: lists[system].to_dict() for system in lists.index.unique("system")}


def _teachers(metrics: Sequence[Any]) -> dict[str, dict[str, float]]:
    """Task scores in percent of the single teachers, means over the runs."""
    return {
        task: {
            member: fmean(run["tasks"][task]["teachers"][member]["score"] for run in metrics)
            for member in figures["teachers"]
        }
        for task, figures in metrics[0]["tasks"].items()
        if "teachers" in figures
    }


def _kept(
    scores: Mapping[str, Mapping[str, Sequence[float]]], taught: Sequence[str]
) -> float | None:
    """Share of the gap between baseline and ensemble, of means over tasks and seeds."""
    if not taught:
        return None
    systems = (STUDENT, BASELINE, ENSEMBLE)
    means = {name: float(pd.DataFrame(scores[name])[taught].mean().mean()) for name in systems}
    return share_kept(means[STUDENT], means[BASELINE], means[ENSEMBLE])

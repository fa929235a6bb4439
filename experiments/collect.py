"""Gather the figures of the grid's experiments over seeds, with intervals."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from experiments import settings as grid
from pipeline import paths
from pipeline.errors import DataError
from pipeline.evaluation import seeds as replicates
from pipeline.evaluation import summary
from pipeline.evaluation.systems import BASELINE, BASELINES, ENSEMBLE, MULTITASK, STUDENT
from pipeline.runtime import artifacts

KEPT = Path("scratch/evidence")
_FOLDER = paths.EVALUATION.name
_SHORT = 7  # hexadecimal digits of a commit
_SYSTEMS = (BASELINE, STUDENT, ENSEMBLE)
_OTHERS = (MULTITASK, *BASELINES)
"""Systems that not every run has."""


def write(target: Path, settings: Sequence[grid.Setting], seeds: Sequence[int]) -> dict[str, Any]:
    """Read every finished experiment of the grid and write all figures as JSON.

    A setting without experiments here, as in a separate clone, stays as in the file.

    Returns:
        The file's content, by name of setting.

    Raises:
        DataError: no experiment of the grid is finished.
    """
    names = {name for setting in settings for name in (setting.name, setting.against) if name}
    folders = {name: _folders(name, seeds) for name in sorted(names)}
    new = {
        setting.name: _figures(setting, folders) for setting in settings if folders[setting.name]
    }
    if not new:
        raise DataError("no experiment of the grid is finished", fix="python -m experiments work")
    old = artifacts.read_json(target) if target.exists() else {}
    figures = {**old, **new}
    current = {each.name: figures[each.name] for each in grid.SETTINGS if each.name in figures}
    artifacts.write_json(target, current)
    return current


def share_kept(student: float, baseline: float, ensemble: float) -> float | None:
    """Share of the ensemble's lead over the baseline that the student has, of scores in percent.

    None where the ensemble has no lead, as in the reports.
    """
    lead = ensemble - baseline
    return (student - baseline) / lead if summary.percent(lead / 100) > 0 else None


def _folders(name: str, seeds: Sequence[int]) -> dict[int, Path]:
    """data/evaluation of every finished run of a setting, by seed."""
    folders = {seed: _fetched(f"{name}-{seed}") for seed in seeds}
    return {seed: folder for seed, folder in folders.items() if folder is not None}


def _fetched(experiment: str) -> Path | None:
    """An experiment's predictions, copied from DVC's cache; None if it is not there.

    An earlier copy is never used: an experiment of the same name may have been run again.
    """
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from scmrepo.exceptions import SCMError

    folder = KEPT / experiment
    try:
        files = DVCFileSystem(".", rev=experiment)
        with artifacts.new_folder(
            folder
        ) as staging:  # into a folder that is there DVC would nest it
            files.get(f"/{paths.EVALUATION}", str(staging / _FOLDER), recursive=True)
    except (DvcException, SCMError, FileNotFoundError):
        return None
    return folder / _FOLDER


def _figures(setting: grid.Setting, folders: Mapping[str, Mapping[int, Path]]) -> dict[str, Any]:
    own = folders[setting.name]
    metrics = [artifacts.read_json(folder / paths.METRICS.name) for folder in own.values()]
    tasks = list(metrics[0]["tasks"])
    taught = metrics[0]["teacher_tasks"]["tasks"]
    runs = list(own.values())
    compared = replicates.compare(runs, tasks)
    figures: dict[str, Any] = {
        "title": setting.title,
        "group": setting.group,
        "changes": list(setting.changes),
        "seeds": list(own),
        "commits": _commits(f"{setting.name}-{seed}" for seed in own),
        "scores": _scores(metrics),
        "teachers": _teachers(metrics),
        "difference": _intervals(compared.drop(replicates.MEAN)),
        "difference_taught": _intervals(replicates.compare(runs, taught))[replicates.MEAN],
    }
    figures["kept"] = _kept(figures["scores"], taught)
    if interval := _against(setting, own, folders, taught):
        figures["against"] = {"setting": setting.against, **interval}
    return figures


def _commits(experiments: Iterable[str]) -> list[str]:
    """The commits that experiments were run at: DVC's name of one is refs/exps/<commit>/<name>."""
    patterns = [f"refs/exps/*/*/{name}" for name in experiments]
    listed = subprocess.run(
        ["git", "for-each-ref", "--format=%(refname)", *patterns],
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({"".join(ref.split("/")[2:4])[:_SHORT] for ref in listed.stdout.split()})


def _scores(metrics: Sequence[Any]) -> dict[str, dict[str, list[float]]]:
    """Task scores in percent: system -> task -> one score per seed; a system has its own tasks."""
    rows = [
        {"system": system, "task": task, "score": figures[system]["score"]}
        for run in metrics
        for task, figures in run["tasks"].items()
        for system in (*_SYSTEMS, *_OTHERS)
        if system in figures
    ]
    lists = pd.DataFrame(rows).groupby(["system", "task"], sort=False)["score"].agg(list)
    return {system: lists[system].to_dict() for system in lists.index.unique("system")}


def _teachers(metrics: Sequence[Any]) -> dict[str, dict[str, float]]:
    """Task scores in percent of the single teachers; they are the same with every student seed."""
    return {
        task: {member: teacher["score"] for member, teacher in figures["teachers"].items()}
        for task, figures in metrics[0]["tasks"].items()
        if "teachers" in figures
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


def _kept(
    scores: Mapping[str, Mapping[str, Sequence[float]]], taught: Sequence[str]
) -> float | None:
    """Share of the gap between baseline and ensemble, of means over tasks and seeds."""
    means = {name: float(pd.DataFrame(scores[name])[taught].mean().mean()) for name in _SYSTEMS}
    return share_kept(means[STUDENT], means[BASELINE], means[ENSEMBLE])


def _against(
    setting: grid.Setting,
    own: Mapping[int, Path],
    folders: Mapping[str, Mapping[int, Path]],
    taught: Sequence[str],
) -> dict[str, Any]:
    """Student minus the student of another setting, on the seeds that both have."""
    other = folders.get(setting.against, {})
    both = [seed for seed in own if seed in other]
    if not both:
        return {}
    compared = replicates.compare(
        [own[seed] for seed in both],
        taught,
        STUDENT,
        STUDENT,
        others=[other[seed] for seed in both],
    )
    return _intervals(compared)[replicates.MEAN]

"""Evaluate one task: predictions of all systems on dev, test and AX rows, and their dev scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline import metrics, paths
from pipeline.data import row_tables, rows
from pipeline.errors import DataError
from pipeline.evaluation import agreement, compare
from pipeline.evaluation import systems as compared
from pipeline.evaluation.baselines import Choice
from pipeline.evaluation.bootstrap import Values
from pipeline.evaluation.compare import Comparison
from pipeline.evaluation.systems import BASELINE, STUDENT, TEACHER, System
from pipeline.params import rules
from pipeline.runtime import artifacts
from pipeline.soft_labels import calibration
from pipeline.stage_registry import remake
from pipeline.tasks import Task, part_of

SCHEMA_VERSION = 2
_ONE_BASELINE = Choice("epochs")


@dataclass(frozen=True)
class TaskResult:
    """One task's evaluation.

    Attributes:
        task: the task.
        table: per-example predictions: row_id, split, text_hash, label, `prediction_<system>` and,
            for classes, `probabilities_<system>` of ensemble, baselines, student and tuned. The
            candidate has predictions of dev rows alone.
        scores: system -> dev split -> metric -> fraction.
        models: system -> description of its model, for systems that have one; of a member with
            several folds `by_fold` has what differs between its models.
        comparison: student against baseline on the dev rows.
        calibration_errors: system -> expected calibration error on all dev rows, a fraction, for
            systems with probabilities.
        agreement: pair of members -> measure -> fraction, on all dev rows; {} without teachers.
        soft: metadata of the soft labels, with `transfer`: source of transfer rows -> how many;
            {} without teachers.
        splits: split -> metadata of its prepared file, with `rows` (the number that were kept).
        choice: the baseline that counts, of all tasks.
        candidates: multi-task candidate -> what it has trained on, the best first.
    """

    task: Task
    table: pa.Table
    scores: Mapping[str, Mapping[str, Mapping[str, float]]]
    models: Mapping[str, Mapping[str, Any]]
    comparison: Comparison
    calibration_errors: Mapping[str, float]
    agreement: Mapping[tuple[str, str], Mapping[str, float | None]]
    soft: Mapping[str, Any]
    splits: Mapping[str, Mapping[str, Any]]
    choice: Choice
    candidates: Mapping[str, Mapping[str, Any]]

    @property
    def rule(self) -> str | None:
        """How the members were combined; None without teachers."""
        return rules.name(self.soft["rule"]) if self.soft else None

    @property
    def members(self) -> list[str]:
        """Names of the single teachers."""
        return [name.removeprefix(TEACHER) for name in self.scores if name.startswith(TEACHER)]

    def score(self, system: str) -> float:
        """The system's task score, a fraction."""
        return metrics.task_score(self.task, self.scores[system])


def missing(names: Iterable[str]) -> dict[str, str]:
    """Tasks that cannot be evaluated with the available data, each with the reason.

    Raises:
        DataError: a task was not prepared at all.
    """
    reasons = {name: _lacking_parts(name) for name in names}
    return {name: reason for name, reason in reasons.items() if reason}


def _lacking_parts(name: str) -> str:
    """Parts that training and dev scores need and the source lacks; "" if none."""
    folder = paths.prepared(name)
    files = [file.stem for file in folder.glob("*.parquet")]
    if not files and not (folder / rows.MISSING).exists():
        raise DataError("no prepared rows", where=folder, fix=remake(folder))
    there = {part_of(file) for file in files}
    lacking = [part for part in ("train", "dev") if part not in there]
    return f"the source has no {' and no '.join(lacking)} rows of it" if lacking else ""


def ranked_candidates() -> dict[str, Mapping[str, Any]]:
    """What each multi-task candidate has trained on, the best candidate first; {} for none.

    Raises:
        DataError: the candidates were not ranked.
    """
    if not paths.SELECTION.exists():
        fix = remake(paths.SELECTION)
        raise DataError("no order of the candidates", where=paths.SELECTION, fix=fix)
    entries = artifacts.read_json(paths.SELECTION)["candidates"]
    ranked = sorted(entries, key=lambda name: entries[name]["rank"])
    return {name: entries[name]["trained"] for name in ranked}


def evaluate(
    name: str,
    *,
    taught: bool,
    tuned: bool = False,
    choice: Choice = _ONE_BASELINE,
    candidates: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> TaskResult:
    """Collect, score and compare every system on one task.

    Args:
        name: the task's name in params.yaml.
        taught: whether the task has teachers and so soft labels.
        tuned: whether the student was fine-tuned on the task.
        choice: the baselines that were trained and the one that counts.
        candidates: what each has trained on, the best first; {} for none.

    Raises:
        SoftLabelError: a system's file does not fit the prepared rows.
        DataError: a file is missing or holds no labelled dev rows.
    """
    prepared = rows.read_splits(paths.prepared(name))
    task = next(part.task for split, part in prepared.items() if part_of(split) == "dev")
    frame = row_tables.keys({k: part for k, part in prepared.items() if part_of(k) != "train"})
    collected = compared.collect(
        task,
        prepared,
        frame,
        taught=taught,
        tuned=tuned,
        choice=choice,
        candidate=next(iter(candidates), None),
    )
    table = compared.tabulate(frame, collected.systems)
    pair = compare.dev_splits(task, table, (STUDENT, BASELINE))
    dev = np.isin(table["split"].to_numpy().astype(str), list(pair))
    return TaskResult(
        task=task,
        table=table,
        scores=_scores(task, table, list(collected.systems)),
        models={name: system.model for name, system in collected.systems.items() if system.model},
        comparison=compare.compare(task, list(pair.values())),
        calibration_errors=_calibration_errors(table, dev, collected.systems),
        agreement=agreement.pairwise(
            task, {member: teacher.predicted[dev] for member, teacher in collected.members.items()}
        ),
        soft=collected.soft,
        splits={split: {**part.metadata, "rows": len(part)} for split, part in prepared.items()},
        choice=choice,
        candidates=candidates,
    )


def write_predictions(results: Sequence[TaskResult], folder: Path) -> None:
    """Write every task's predictions to a folder, one Parquet file per task."""
    for result in results:
        row_tables.write(folder / f"{result.task.name}.parquet", result.table, _metadata(result))


def _metadata(result: TaskResult) -> dict[str, Any]:
    described = row_tables.describe(result.task)
    return {"schema_version": SCHEMA_VERSION, **described, "systems": list(result.scores)}


def _scores(
    task: Task, table: pa.Table, systems: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    splits = compare.dev_splits(task, table, systems)
    return {
        system: {
            split: metrics.prediction_scores(task, predictions.labels, predictions.predicted[at])
            for split, predictions in splits.items()
        }
        for at, system in enumerate(systems)
    }


def _calibration_errors(
    table: pa.Table, dev: Values, systems: Mapping[str, System]
) -> dict[str, float]:
    labels = table["label"].filter(pa.array(dev)).to_numpy()
    return {
        name: calibration.expected_calibration_error(system.probabilities[dev], labels)
        for name, system in systems.items()
        if system.probabilities is not None
    }

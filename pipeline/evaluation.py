"""Every system's predictions on one task's dev, test and AX rows, and its dev scores."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline import (
    alignment,
    artifacts,
    ensemble,
    logits,
    metrics,
    parquet,
    paths,
    rows,
    soft_labels,
)
from pipeline.errors import DataError
from pipeline.rows import Rows
from pipeline.tasks import Task, part_of

SCHEMA_VERSION = 1
MAJORITY, ENSEMBLE, BASELINE, STUDENT = "majority", "ensemble", "baseline", "student"
TEACHER = "teacher_"  # before a member's name, so that a member called `student` is no clash

_MODELS = {BASELINE: (paths.BASELINE, "baseline"), STUDENT: (paths.STUDENT, "distil")}

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class System:
    """What one system says of a task's rows.

    Attributes:
        predicted: class ids int32 or scores float32, `(rows,)`.
        probabilities: `(rows, classes)` float32 where they are kept.
        model: the model's description as its logits file gives it; {} if there is none.
    """

    predicted: Values
    probabilities: Values | None = None
    model: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskResult:
    """One task's evaluation.

    Attributes:
        task: the task.
        table: per-example predictions: row_id, split, text_hash, label, `prediction_<system>` and,
            for classes, `probabilities_<system>` of baseline and student.
        scores: system -> dev split -> metric -> fraction.
        models: system -> description of its model, for systems that have one.
        rule: how the members were combined; None without teachers.
        splits: split -> metadata of its prepared file, with `rows` (the number that were kept).
    """

    task: Task
    table: pa.Table
    scores: Mapping[str, Mapping[str, Mapping[str, float]]]
    models: Mapping[str, Mapping[str, Any]]
    rule: str | None
    splits: Mapping[str, Mapping[str, Any]]

    @property
    def members(self) -> list[str]:
        """Names of the single teachers."""
        return [name.removeprefix(TEACHER) for name in self.scores if name.startswith(TEACHER)]

    def score(self, system: str) -> float:
        """The system's task score, a fraction."""
        return metrics.task_score(self.task, self.scores[system])


def missing(names: Iterable[str]) -> dict[str, str]:
    """Tasks that cannot be evaluated with the data there are, each with the reason.

    Raises:
        DataError: a task was not prepared at all.
    """
    reasons = {name: _lack(name) for name in names}
    return {name: reason for name, reason in reasons.items() if reason}


def _lack(name: str) -> str:
    """What the source lacks of a task that training and dev scores need; "" if nothing."""
    folder = paths.prepared(name)
    files = [file.stem for file in folder.glob("*.parquet")]
    if not files and not (folder / rows.MISSING).exists():
        raise DataError("no prepared rows", where=folder, mend=f"dvc repro prepare@{name}")
    there = {part_of(file) for file in files}
    lacking = [part for part in ("train", "dev") if part not in there]
    return f"the source has no {' and no '.join(lacking)} rows of it" if lacking else ""


def evaluate(name: str, *, taught: bool) -> TaskResult:
    """Collect and score every system on one task.

    Args:
        name: the task's name in params.yaml.
        taught: whether the task has teachers and so soft labels.

    Raises:
        SoftLabelError: a system's file does not fit the prepared rows.
        DataError: a file is missing or holds no labelled dev rows.
    """
    prepared = rows.read_splits(paths.prepared(name))
    task = next(part.task for split, part in prepared.items() if part_of(split) == "dev")
    frame = parquet.keys({k: part for k, part in prepared.items() if part_of(k) != "train"})
    systems = {MAJORITY: _majority(task, prepared["train"], len(frame))}
    rule = None
    if taught:
        rule, teachers = _ensemble(task, paths.soft_labels(name), prepared, frame)
        systems |= teachers
    for system, (folder, stage) in _MODELS.items():
        systems[system] = _model(task, paths.task_logits(folder, name), stage, frame)
    return TaskResult(
        task=task,
        table=_table(frame, systems),
        scores={system: _scores(task, frame, found) for system, found in systems.items()},
        models={system: found.model for system, found in systems.items() if found.model},
        rule=rule,
        splits={split: {**part.metadata, "rows": len(part)} for split, part in prepared.items()},
    )


def write(results: Sequence[TaskResult], reports: Sequence[Path] = ()) -> None:
    """Write every task's predictions to data/evaluation/, in place of what was there.

    Args:
        results: the evaluated tasks.
        reports: files that DVC cannot restore where they lie; a copy of each is kept here.

    Raises:
        DataError: there is no result.
    """
    if not results:
        raise DataError("no task could be evaluated", mend="check `data` in params.yaml")
    with artifacts.new_folder(paths.EVALUATION) as folder:
        for result in results:
            path = folder / f"{result.task.name}.parquet"
            parquet.write(path, result.table, _metadata(result))
        for report in reports:
            shutil.copyfile(report, folder / report.name)


def _metadata(result: TaskResult) -> dict[str, Any]:
    task = result.task
    return {
        "schema_version": SCHEMA_VERSION,
        "task": task.name,
        "labels": list(task.labels),
        "systems": list(result.scores),
    }


def _majority(task: Task, train: Rows, count: int) -> System:
    """The commonest class of the train split, the first on a tie; its mean score for regression."""
    labels = train.labels
    if task.regression:
        return System(np.full(count, labels.mean(dtype=np.float64), dtype=np.float32))
    commonest = np.bincount(labels, minlength=task.outputs).argmax()
    return System(np.full(count, commonest, dtype=np.int32))


def _ensemble(
    task: Task, path: Path, prepared: Mapping[str, Rows], frame: pa.Table
) -> tuple[str, dict[str, System]]:
    """Every member and their combination, from the soft-label file."""
    soft = soft_labels.read(path, prepared)
    at = alignment.locate(frame["row_id"], soft.table["row_id"], soft.origin)
    systems = {
        f"{TEACHER}{member}": System(
            metrics.predictions(task, values[at]), model=soft.metadata["members"][member]
        )
        for member, values in zip(soft.members, soft.member_logits, strict=True)
    }
    systems[ENSEMBLE] = System(metrics.predictions(task, soft.probabilities[at]))
    return soft.rule, systems


def _model(task: Task, path: Path, stage: str, frame: pa.Table) -> System:
    """Student or baseline, from its logits file."""
    mend = f"dvc repro {stage}"
    found = logits.read(path, mend)
    origin = alignment.Origin(f"logits of {task.name}", path, mend)
    if found.task.labels != task.labels:
        origin.refuse(f"label order is not {list(task.labels)}", list(found.task.labels))
    values = found.values[alignment.align(found.table, frame, origin)]
    known = None if task.regression else ensemble.softmax(values).astype(np.float32)
    return System(metrics.predictions(task, values), known, found.model)


def _scores(task: Task, frame: pa.Table, system: System) -> dict[str, dict[str, float]]:
    splits = frame["split"].to_numpy()
    found = {}
    for split in dict.fromkeys(splits):
        if part_of(split) != "dev":
            continue
        labels = frame["label"].filter(pa.array(splits == split))
        if labels.null_count:
            raise DataError("a dev row without a label", where=f"{task.name}/{split}")
        found[split] = metrics.prediction_scores(
            task, labels.to_numpy(), system.predicted[splits == split]
        )
    return found


def _table(frame: pa.Table, systems: Mapping[str, System]) -> pa.Table:
    table = frame
    for name, system in systems.items():
        table = table.append_column(f"prediction_{name}", pa.array(system.predicted))
    for name, system in systems.items():
        if system.probabilities is not None:
            column = parquet.column(system.probabilities)
            table = table.append_column(f"probabilities_{name}", column)
    return table

"""Read the held-out predictions of every system: teachers, ensemble, baselines, student, tuned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import metrics, paths
from pipeline.data import row_join, row_tables, rows
from pipeline.data.rows import Rows
from pipeline.evaluation.baselines import Choice
from pipeline.evaluation.compare import PREDICTION
from pipeline.soft_labels import ensemble_rules, logits, store
from pipeline.stage_registry import remake
from pipeline.tasks import Task, part_of

MAJORITY, ENSEMBLE, BASELINE = "majority", "ensemble", "baseline"
STUDENT, TUNED = "student", "tuned"
MULTITASK = "multitask"  # the best candidate
BASELINES = ("baseline_epochs", "baseline_steps")
TEACHER = "teacher_"  # before a member's name, so that a member called `student` is no clash

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class System:
    """Predictions of one system for a task's rows.

    Attributes:
        predicted: class ids int32 or scores float32, `(rows,)`; masked where a row is not scored.
        probabilities: `(rows, classes)` float32 where they are kept.
        model: the model's description in its logits file; {} if there is none.
    """

    predicted: Values
    probabilities: Values | None = None
    model: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Collected:
    """All systems of one task.

    Attributes:
        systems: by name, in the order of tables.
        soft: metadata of the soft labels, with `transfer`: source of transfer rows -> how many;
            {} without teachers.
    """

    systems: Mapping[str, System]
    soft: Mapping[str, Any]

    @property
    def members(self) -> dict[str, System]:
        """The single teachers by member."""
        return {
            name.removeprefix(TEACHER): system
            for name, system in self.systems.items()
            if name.startswith(TEACHER)
        }


def baseline_of(budget: str) -> str:
    """Name of the baseline of a budget: baseline_epochs or baseline_steps."""
    return f"{BASELINE}_{budget}"


def collect(
    task: Task,
    prepared: Mapping[str, Rows],
    frame: pa.Table,
    *,
    taught: bool,
    tuned: bool,
    choice: Choice,
    candidate: str | None,
) -> Collected:
    """Read the predictions of every system for one task's held-out rows.

    Args:
        task: the task.
        prepared: its prepared rows, all splits.
        frame: columns `key_fields` of the rows wanted.
        taught: whether the task has teachers and so soft labels.
        tuned: whether the student was fine-tuned on the task.
        choice: the baselines that were trained, and the one that is system `baseline`.
        candidate: name of the best multi-task candidate; None for none.

    Raises:
        SoftLabelError: a system's file is missing or does not fit the prepared rows.
    """
    systems = {MAJORITY: _majority(task, prepared["train"], len(frame))}
    soft: dict[str, Any] = {}
    if taught:
        soft, teachers = _ensemble(task, prepared, frame)
        systems |= teachers
    if candidate is not None:
        systems[MULTITASK] = _candidate(task, candidate, frame)
    for budget in choice.budgets:
        path = paths.task_logits(paths.baseline(budget), task.name)
        systems[baseline_of(budget)] = _model(task, path, frame)
    systems[BASELINE] = systems[baseline_of(choice.budget)]
    systems[STUDENT] = _model(task, paths.task_logits(paths.STUDENT, task.name), frame)
    if tuned:
        systems[TUNED] = _model(task, paths.tuned_logits(task.name), frame)
    return Collected(systems, soft)


def _majority(task: Task, train: Rows, count: int) -> System:
    """The commonest class of the train split, the first on a tie; its mean score for regression."""
    labels = train.labels
    if task.regression:
        return System(np.full(count, labels.mean(dtype=np.float64), dtype=np.float32))
    commonest = np.bincount(labels, minlength=task.outputs).argmax()
    return System(np.full(count, commonest, dtype=np.int32))


def _ensemble(
    task: Task, prepared: Mapping[str, Rows], frame: pa.Table
) -> tuple[dict[str, Any], dict[str, System]]:
    """Metadata of the soft-label file, and every member and their combination as systems."""
    soft = store.read(paths.soft_labels(task.name), prepared)
    at = row_join.locate(frame["row_id"], soft.table["row_id"], soft.origin)
    systems = {
        f"{TEACHER}{member}": System(
            metrics.predictions(task, values[at]), model=soft.metadata["members"][member]
        )
        for member, values in zip(soft.members, soft.member_logits, strict=True)
    }
    combined = soft.probabilities[at]
    known = None if task.regression else combined
    systems[ENSEMBLE] = System(metrics.predictions(task, combined), known)
    return {**soft.metadata, "transfer": _transferred(soft.table)}, systems


def _transferred(table: pa.Table) -> dict[str, int]:
    """Number of transfer rows by their source, which is part of their ids."""
    ids = table.filter(pc.equal(table["split"], rows.TRANSFER))["row_id"].to_pylist()
    return dict(Counter(row.split("/")[2] for row in ids))


def _model(task: Task, path: Path, frame: pa.Table) -> System:
    """Student, baseline, candidate or tuned student, from its logits file."""
    kept = logits.read(path)
    origin = row_join.Origin(f"logits of {task.name}", path, remake(path))
    row_join.check_task(kept.task, task, origin)
    values = kept.values[row_join.align(kept.table, frame, origin)]
    known = None if task.regression else ensemble_rules.softmax(values).astype(np.float32)
    return System(metrics.predictions(task, values), known, kept.model)


def _candidate(task: Task, candidate: str, frame: pa.Table) -> System:
    """The best candidate, which scores dev rows alone."""
    path = paths.task_logits(paths.refined(candidate), task.name)
    dev = np.array([part_of(split) == "dev" for split in frame["split"].to_pylist()])
    scored = _model(task, path, frame.filter(pa.array(dev)))
    predicted = np.zeros(len(frame), scored.predicted.dtype)
    predicted[dev] = scored.predicted
    return System(np.ma.MaskedArray(predicted, mask=~dev), model=scored.model)


def tabulate(frame: pa.Table, systems: Mapping[str, System]) -> pa.Table:
    """Rows with `prediction_<system>` and, where they are kept, `probabilities_<system>`."""
    table = frame
    for name, system in systems.items():
        table = table.append_column(f"{PREDICTION}{name}", pa.array(system.predicted))
    for name, system in systems.items():
        if system.probabilities is not None:
            column = row_tables.column(system.probabilities)
            table = table.append_column(f"probabilities_{name}", column)
    return table

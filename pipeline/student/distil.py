"""Distil: train the student on hard labels and on soft labels, joined to its rows by id."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from pipeline import paths
from pipeline.data import rows, transfer_rows
from pipeline.data.prepared import read_prepared, train_rows
from pipeline.data.rows import TRANSFER, Rows, Splits
from pipeline.errors import SoftLabelError
from pipeline.params.sections import Params
from pipeline.soft_labels import store
from pipeline.stage_registry import remake
from pipeline.student import feature_teachers, train


def distil(params: Params) -> None:
    """Train the student on hard and soft labels and write data/student/.

    Raises:
        SoftLabelError: a soft-label file does not fit the rows.
        EncoderError: the student's initial encoder is not there.
        SavedModelError: a feature teacher is missing, or of another member.
        TrainingError: the loss is not finite.
    """
    prepared = read_prepared(params)
    train_sets = train_rows(prepared)
    targets = {}
    for task in _tasks_with_teachers(params, prepared):
        transfer = transfer_rows.read(task) if task in params.transfer else None
        targets[task] = read_targets(task, prepared[task], transfer, params)
        if transfer is not None:
            train_sets[task] = rows.concatenate(train_sets[task], transfer)
    teachers = feature_teachers.load(params, targets)
    train.train(paths.STUDENT, params, prepared, train_sets, params.distillation, targets, teachers)


def read_targets(task: str, splits: Splits, transfer: Rows | None, params: Params) -> np.ndarray:
    """Read the soft targets of a task's train rows, then of its transfer rows, joined by row id.

    Args:
        task: name of the task.
        splits: its prepared rows.
        transfer: its transfer rows, if it has any.
        params: section `distillation` has the temperature.

    Returns:
        float32 `(rows, classes)`, or `(rows, 1)` for regression; memory-mapped if they are many.

    Raises:
        SoftLabelError: the file is missing or does not fit the rows.
    """
    path = paths.soft_labels(task)
    if not path.exists():
        raise SoftLabelError("no soft labels", where=path, fix=remake(path))
    train_sets = {"train": splits["train"], **({} if transfer is None else {TRANSFER: transfer})}
    temperature = params.distillation.temperature
    return store.read_targets(path, {**splits, **train_sets}, train_sets, temperature)


def _tasks_with_teachers(params: Params, prepared: Mapping[str, Splits]) -> list[str]:
    for task in params.teachers.tasks:
        if task not in prepared:
            print(f"{task}: no train rows at the source, no soft labels", file=sys.stderr)
    return [task for task in params.teachers.tasks if task in prepared]

"""Distillation: what the student learns from teachers, joined to its rows by id."""

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
    learnt = train_rows(prepared)
    targets = {}
    for task in _taught(params, prepared):
        further = transfer_rows.read(task) if task in params.transfer else None
        targets[task] = read_targets(task, prepared[task], further, params)
        if further is not None:
            learnt[task] = rows.concatenate(learnt[task], further)
    guides = feature_teachers.load(params, targets)
    train.train(paths.STUDENT, params, prepared, learnt, params.distillation, targets, guides)


def read_targets(task: str, splits: Splits, further: Rows | None, params: Params) -> np.ndarray:
    """Soft targets of one task's train rows, then of its transfer rows, joined by row id.

    Args:
        task: its name.
        splits: its prepared rows.
        further: its transfer rows, if it has any.
        params: section `distillation` has the temperature.

    Returns:
        float32 `(rows, classes)`, or `(rows, 1)` for regression; memory-mapped if they are many.

    Raises:
        SoftLabelError: the file is missing or does not fit the rows.
    """
    path = paths.soft_labels(task)
    if not path.exists():
        raise SoftLabelError("no soft labels", where=path, fix=f"dvc repro ensemble@{task}")
    learnt = {"train": splits["train"], **({} if further is None else {TRANSFER: further})}
    temperature = params.distillation.temperature
    return store.read_targets(path, {**splits, **learnt}, learnt, temperature)


def _taught(params: Params, prepared: Mapping[str, Splits]) -> list[str]:
    for task in params.teachers.tasks:
        if task not in prepared:
            print(f"{task}: no train rows at the source, no soft labels", file=sys.stderr)
    return [task for task in params.teachers.tasks if task in prepared]

"""Distillation: the soft targets of every task with teachers, for the student to learn from."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from pipeline import paths, soft_labels, student
from pipeline.errors import SoftLabelError
from pipeline.finetuning import Splits, Targets
from pipeline.params.sections import Params


def distil(params: Params) -> None:
    """Train the student on hard and soft labels and write data/student/.

    Raises:
        SoftLabelError: a soft-label file does not fit the prepared rows.
        EncoderError: the student's initial encoder is not there.
        TrainingError: the loss is not finite.
    """
    prepared = student.read_prepared(params)
    targets = read_targets(params, prepared)
    student.train(paths.STUDENT, params, prepared, targets, params.distillation)


def read_targets(params: Params, prepared: Mapping[str, Splits]) -> Targets:
    """Soft targets of the train rows of every task with teachers, joined by row id.

    Returns:
        By task, float32 `(train rows, classes)`, or `(train rows, 1)` for regression.

    Raises:
        SoftLabelError: a file is missing or does not fit the rows.
    """
    targets = {}
    for task in params.teachers.tasks:
        if task not in prepared:
            print(f"{task}: no train rows at the source, no soft labels", file=sys.stderr)
            continue
        path = paths.soft_labels(task)
        if not path.exists():
            raise SoftLabelError("no soft labels", where=path, mend=f"dvc repro ensemble@{task}")
        labels = soft_labels.read(path, prepared[task])
        train = prepared[task]["train"].table
        targets[task] = labels.targets(
            train["row_id"].to_pylist(),
            train["text_hash"].to_pylist(),
            params.distillation.temperature,
        )
    return targets

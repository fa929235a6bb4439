"""The student: one multi-task model over all tasks; without soft labels it is the baseline."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline import paths
from pipeline.data import rows
from pipeline.data.rows import Rows
from pipeline.errors import DataError
from pipeline.model import encoders, saved_model
from pipeline.params.sections import Distillation, Params
from pipeline.runtime import artifact_lock, artifacts
from pipeline.tasks import part_of
from pipeline.training.finetune import LoadedEncoder, Recipe, Splits, Targets, Teachers, fine_tune


def read_prepared(params: Params) -> dict[str, Splits]:
    """Prepared rows of every task that has train rows, in the order of params.yaml.

    Raises:
        DataError: a task is not prepared, or no task has train rows.
    """
    prepared: dict[str, Splits] = {}
    for name in params.tasks:
        folder = paths.prepared(name)
        if rows.absent(folder):
            print(f"{name}: no train rows at the source, left out", file=sys.stderr)
        else:
            prepared[name] = rows.read_splits(folder)
    if not prepared:
        raise DataError("no task has train rows", where=paths.DATA / "prepared")
    return prepared


def train_rows(prepared: Mapping[str, Splits]) -> dict[str, Rows]:
    """Train rows by task."""
    return {name: splits["train"] for name, splits in prepared.items()}


def train(
    folder: Path,
    params: Params,
    prepared: Mapping[str, Splits],
    learnt: Mapping[str, Rows],
    distillation: Distillation | None = None,
    targets: Targets | None = None,
    teachers: Teachers | None = None,
) -> None:
    """Train the student of params.yaml and write weights, log and logits to a folder.

    Args:
        folder: where the model goes, whole or not at all.
        params: its sections `student` and `machine` are used.
        prepared: rows by task and split; the held-out splits are scored.
        learnt: rows to learn from by task, train and transfer rows.
        distillation: how hard and soft loss are combined; None for hard labels only.
        targets: soft targets `(rows, classes or 1)` of the rows of tasks with teachers.
        teachers: models whose inner states are matched, by task.

    Raises:
        EncoderError: the initial encoder is not there, or does not fit.
        TrainingError: the loss is not finite.
    """
    student = params.student
    recipe = Recipe(
        name=folder.name,
        title=folder.name,
        heads={name: student.heads.get(name, student.head) for name in prepared},
        dropout=student.dropout,
        settings=student,
        seed=student.seed,
        sampling=student.sampling,
        task_weights=student.task_weights,
        distillation=distillation,
    )
    opened = LoadedEncoder(
        *encoders.load(student.encoder, student.dropout), encoders.describe(student.encoder)
    )
    with artifact_lock.lock_for_training(folder) as staging:
        model = fine_tune(
            staging, recipe, learnt, opened, params.machine, targets or {}, teachers or {}
        )
        for name, splits in prepared.items():
            held_out = {key: split for key, split in splits.items() if part_of(key) != "train"}
            if held_out:
                model.score(held_out, paths.task_logits(staging.folder, name))
        artifacts.write_json(staging.folder / saved_model.MANIFEST, model.manifest)

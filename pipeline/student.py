"""The student: one multi-task model over all tasks; without soft labels it is the baseline."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline import artifacts, checkpoint, paths, rows
from pipeline.errors import DataError
from pipeline.finetuning import Recipe, Splits, Targets, fine_tune
from pipeline.params.sections import Distillation, Params
from pipeline.tasks import part_of


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


def train(
    folder: Path,
    params: Params,
    prepared: Mapping[str, Splits],
    targets: Targets,
    distillation: Distillation | None,
) -> None:
    """Train the student of params.yaml and write weights, log and logits to a folder.

    Args:
        folder: where the model goes, whole or not at all.
        params: its sections `student` and `machine` are used.
        prepared: rows by task and split.
        targets: soft targets `(train rows, classes or 1)` of tasks with teachers.
        distillation: how hard and soft loss are combined; None for hard labels only.

    Raises:
        EncoderError: the initial encoder is not there.
        TrainingError: the loss is not finite.
    """
    student = params.student
    recipe = Recipe(
        name=folder.name,
        title=folder.name,
        encoder=student.encoder,
        dropout=student.dropout,
        head=student.head,
        settings=student,
        seed=student.seed,
        distillation=distillation,
    )
    train_rows = {name: splits["train"] for name, splits in prepared.items()}
    with artifacts.new_folder(folder) as draft:
        model = fine_tune(draft, recipe, train_rows, targets, params.machine)
        for name, splits in prepared.items():
            held_out = {key: split for key, split in splits.items() if part_of(key) != "train"}
            if held_out:
                model.score(held_out, paths.task_logits(draft, name))
        artifacts.write_json(draft / checkpoint.CARD, model.card)

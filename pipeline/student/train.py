"""Train the student, one multi-task model; without soft labels it is the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline import paths
from pipeline.data.prepared import dev_rows
from pipeline.data.rows import Rows, Splits
from pipeline.model import encoders, saved_model
from pipeline.params.sections import Distillation, Params, Student
from pipeline.runtime import artifact_lock, artifacts
from pipeline.tasks import part_of
from pipeline.training.finetune import TrainedModel, fine_tune
from pipeline.training.recipe import LoadedEncoder, Recipe, Targets, Teachers


def train(
    folder: Path,
    params: Params,
    prepared: Mapping[str, Splits],
    train_sets: Mapping[str, Rows],
    distillation: Distillation | None = None,
    targets: Targets | None = None,
    teachers: Teachers | None = None,
) -> None:
    """Train the student of params.yaml and write weights, log and logits to a folder.

    Args:
        folder: folder of the model, written whole or not at all.
        params: its sections `student` and `machine` are used.
        prepared: rows by task and split; all splits but train are scored.
        train_sets: rows to train on by task, train and transfer rows.
        distillation: how hard and soft loss are combined; None for hard labels only.
        targets: soft targets `(rows, classes or 1)` of the rows of tasks with teachers.
        teachers: models whose features are matched, by task.

    Raises:
        DataError: a task that chooses the best epoch has no dev rows.
        EncoderError: the initial encoder is not there, or does not fit.
        TrainingError: the loss is not finite.
    """
    student = params.student
    recipe = _recipe(model_name(folder), student, prepared, distillation)
    initial = LoadedEncoder(
        *encoders.load(student.encoder, student.dropout), encoders.describe(student.encoder)
    )
    with artifact_lock.lock_for_training(folder) as staging:
        model = fine_tune(
            staging,
            recipe,
            train_sets,
            initial,
            params.machine,
            targets or {},
            teachers or {},
            dev_rows(prepared, student.best_epoch),
        )
        _score(model, prepared, staging.folder)
        artifacts.write_json(staging.folder / saved_model.MANIFEST, model.manifest)


def model_name(folder: Path) -> str:
    """Name of the model in a folder: student, baseline_epochs or baseline_steps."""
    above = folder.parent.name
    return f"{above}_{folder.name}" if above == paths.BASELINE.name else folder.name


def _recipe(
    name: str, student: Student, tasks: Iterable[str], distillation: Distillation | None
) -> Recipe:
    return Recipe(
        name=name,
        title=name,
        heads={task: student.heads.get(task, student.head) for task in tasks},
        dropout=student.dropout,
        settings=student,
        seed=student.seed,
        sampling=student.sampling,
        task_weights=student.task_weights,
        distillation=distillation,
    )


def _score(model: TrainedModel, prepared: Mapping[str, Splits], folder: Path) -> None:
    """Write the model's logits of all rows but train's, one file per task that has any."""
    for name, splits in prepared.items():
        held_out = {key: split for key, split in splits.items() if part_of(key) != "train"}
        if held_out:
            model.score(held_out, paths.task_logits(folder, name))

"""Fine-tune one member on one task and score every row of that task."""

from __future__ import annotations

import sys

from pipeline import paths
from pipeline.data import folds, rows
from pipeline.model import saved_model
from pipeline.params.sections import Params
from pipeline.runtime import artifact_lock, artifacts
from pipeline.teachers import initial_encoder
from pipeline.training.finetune import fine_tune
from pipeline.training.recipe import LoadedEncoder, Recipe


def teach(task: str, member: str, fold: str, params: Params) -> None:
    """Fine-tune one teacher and write its weights and its logits.

    It is trained on the train rows outside its fold and scores all rows. Its folders are
    data/teachers/<task>/<member>/<fold>/ and data/logits/<task>/<member>/<fold>/prepared/: both
    are replaced or neither. A task that the source lacks leaves only missing.json in both.

    Raises:
        DataError: the prepared rows are missing, or too few for the folds.
        EncoderError: the member's initial encoder is missing.
        TrainingError: the loss is not finite.
    """
    prepared, target = paths.prepared(task), paths.prepared_logits(task, member, fold)
    folder = paths.teacher(task, member, fold)
    with artifact_lock.lock_for_training(folder, target.parent) as staging:
        if rows.absent(prepared):
            note = f"{task}: no train rows at the source, no teacher"
            print(note, file=sys.stderr)
            for missing in (staging.folder, staging.logits):
                artifacts.write_json(missing / rows.MISSING, {"task": task, "note": note})
            return
        splits, names = rows.read_splits(prepared), folds.names(params.teachers.folds)
        seen = folds.outside(splits["train"], fold, folds.held_out(splits["train"], len(names)))
        recipe = _recipe(task, member, fold, params)
        model = fine_tune(staging, recipe, {task: seen}, _open(member, recipe), params.machine)
        manifest = model.score(
            splits,
            staging.logits / target.name,
            fold=fold,
            folds=names,
            seen=folds.fingerprint(seen),
        )
        artifacts.write_json(staging.folder / saved_model.MANIFEST, manifest)


def _open(member: str, recipe: Recipe) -> LoadedEncoder:
    folder = paths.initial_encoder(member)
    return LoadedEncoder(
        *initial_encoder.load(folder, recipe.dropout), initial_encoder.describe(folder)
    )


def _recipe(task: str, member: str, fold: str, params: Params) -> Recipe:
    """The section's settings, then the task's, then the member's."""
    teachers = params.teachers
    own = teachers.members[member]
    return Recipe(
        name=member,
        title=f"teach {task} {member} {fold}",
        heads={task: teachers.tasks[task].head or teachers.head},
        dropout=teachers.dropout if own.dropout is None else own.dropout,
        settings=teachers.training(task, member),
        seed=own.seed,
    )

"""Fine-tune the trained student on one task, with hard labels."""

from __future__ import annotations

import sys

from pipeline import paths
from pipeline.data import rows
from pipeline.errors import SavedModelError
from pipeline.model import saved_model
from pipeline.model.multitask import MultiTaskModel
from pipeline.params.sections import Params
from pipeline.runtime import artifact_lock, artifacts
from pipeline.stage_registry import remake
from pipeline.tasks import part_of
from pipeline.training.finetune import fine_tune_further
from pipeline.training.recipe import Recipe


def tune(task: str, params: Params) -> None:
    """Fine-tune the student, its head for the task included, and write data/tuned/<task>/.

    Dropout stays as in the student's training. The heads of other tasks are left out: they do
    not fit the changed encoder. A task that the source lacks leaves only missing.json.

    Raises:
        DataError: the prepared rows are missing.
        SavedModelError: the student is not trained, or not on this task.
        TrainingError: the loss is not finite.
    """
    prepared = paths.prepared(task)
    with artifact_lock.lock_for_training(paths.tuned(task)) as staging:
        if rows.absent(prepared):
            note = f"{task}: no train rows at the source, no tuned student"
            print(note, file=sys.stderr)
            artifacts.write_json(staging.folder / rows.MISSING, {"task": task, "note": note})
            return
        splits = rows.read_splits(prepared)
        loaded = _student(task)
        recipe = _recipe(task, params, loaded)
        model = fine_tune_further(staging, recipe, {task: splits["train"]}, loaded, params.machine)
        held_out = {name: split for name, split in splits.items() if part_of(name) != "train"}
        manifest = {**model.manifest, "dev": {}}
        if held_out:
            manifest = model.score(held_out, staging.folder / paths.tuned_logits(task).name)
        artifacts.write_json(staging.folder / saved_model.MANIFEST, manifest)


def _recipe(task: str, params: Params, loaded: saved_model.LoadedModel) -> Recipe:
    """The section's settings, then the task's."""
    return Recipe(
        name=paths.TUNED.name,
        title=f"tune {task}",
        heads=loaded.network.head_settings,
        dropout=loaded.manifest["training"]["dropout"],
        settings=params.tuning.training(task),
        seed=params.tuning.seed,
    )


def _student(task: str) -> saved_model.LoadedModel:
    """The student with its head for one task only."""
    dropout = saved_model.read_manifest(paths.STUDENT)["training"]["dropout"]
    student = saved_model.load(paths.STUDENT, dropout)
    network = student.network
    if task not in network.tasks:
        raise SavedModelError(
            f"the student has no head for {task}",
            seen=f"heads for {', '.join(network.tasks)}",
            where=paths.STUDENT,
            fix=remake(paths.STUDENT),
        )
    heads = {task: network.head_settings[task]}
    single = MultiTaskModel(network.encoder, {task: network.tasks[task]}, heads)
    single.head(task).load_state_dict(network.head(task).state_dict())
    return saved_model.LoadedModel(single, student.tokenizer, student.manifest)

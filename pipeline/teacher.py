"""Teachers: one member fine-tuned on one task, and its logits for every row of that task."""

from __future__ import annotations

import sys

from pipeline import artifacts, checkpoint, paths, rows
from pipeline.finetuning import Recipe, fine_tune
from pipeline.params.sections import Params


def teach(task: str, member: str, params: Params) -> None:
    """Fine-tune one teacher and write data/teachers/<task>/<member>/.

    A task that the source does not have leaves a folder with only missing.json.

    Raises:
        DataError: the prepared rows are missing.
        EncoderError: the initial encoder is not there.
        TrainingError: the loss is not finite.
    """
    prepared = paths.prepared(task)
    with artifacts.new_folder(paths.teacher(task, member)) as draft:
        if rows.absent(prepared):
            note = f"{task}: no train rows at the source, no teacher"
            print(note, file=sys.stderr)
            artifacts.write_json(draft / rows.MISSING, {"task": task, "note": note})
            return
        splits = rows.read_splits(prepared)
        recipe = _recipe(task, member, params)
        model = fine_tune(draft, recipe, {task: splits["train"]}, {}, params.machine)
        card = model.score(splits, draft / paths.teacher_logits(task, member).name)
        artifacts.write_json(draft / checkpoint.CARD, card)


def _recipe(task: str, member: str, params: Params) -> Recipe:
    """The section's settings, then the task's, then the member's."""
    teachers = params.teachers
    own = teachers.members[member]
    return Recipe(
        name=member,
        title=f"teach {task} {member}",
        encoder=own.encoder or teachers.encoder,
        dropout=teachers.dropout if own.dropout is None else own.dropout,
        head=teachers.head,
        settings=teachers.training(task, member),
        seed=own.seed,
    )

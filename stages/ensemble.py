"""Combine the logits of a task's teachers into its soft labels."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline import command, layouts, logits, paths, rows, soft_labels
from pipeline.params import file

app = command.application()


@app.command()
def main(
    task: Annotated[str, typer.Option(help="Task under teachers.tasks in params.yaml.")],
) -> None:
    """Combine the logits of a task's teachers into its soft labels.

    Reads data/prepared/TASK and data/teachers/TASK/MEMBER.
    Writes data/soft_labels/TASK.parquet.
    """
    params = file.load()
    command.one_of(task, params.teachers.tasks, "teachers.tasks")
    prepared, path, rule = paths.prepared(task), paths.soft_labels(task), params.ensemble.rule
    if rows.absent(prepared):
        print(f"{task}: no train rows at the source, no soft labels", file=sys.stderr)
        soft_labels.write_missing(path, layouts.task_of(task, params.tasks[task].custom), rule)
        return
    # The members named in params.yaml, never those found on disk: one taken out leaves its folder.
    members = {
        name: logits.read(paths.teacher_logits(task, name), f"dvc repro teach@{task}-{name}")
        for name in params.teachers.members
    }
    soft_labels.write(path, rows.read_splits(prepared), members, rule)


if __name__ == "__main__":
    command.run(app)

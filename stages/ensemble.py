"""Join the logits of a task's teachers into its soft labels."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline import paths
from pipeline.data import folds, rows, transfer_rows
from pipeline.data.formats import layouts
from pipeline.params import file, rules
from pipeline.soft_labels import member_logits, store
from stages import _cli

app = _cli.application()


@app.command()
def main(
    task: Annotated[str, typer.Option(help="Task under teachers.tasks in params.yaml.")],
) -> None:
    """Join the logits of a task's teachers, over folds and members, into its soft labels.

    Reads data/prepared/TASK, data/transfer/TASK, data/teachers/TASK and data/labelled/TASK.
    Writes data/soft_labels/TASK.parquet.
    """
    params = file.load()
    _cli.one_of(task, params.teachers.tasks, "teachers.tasks")
    prepared, path, settings = paths.prepared(task), paths.soft_labels(task), params.ensemble
    rule = rules.written(settings.rule)
    if rows.absent(prepared):
        print(f"{task}: no train rows at the source, no soft labels", file=sys.stderr)
        named = layouts.task_of(task, params.tasks[task].custom)
        store.write_missing(path, named, rule)
        return
    splits = rows.read_splits(prepared)
    if task in params.transfer and (further := transfer_rows.read(task)) is not None:
        splits[rows.TRANSFER] = further
    # The names in params.yaml, never those found on disk: a member taken out leaves its folder.
    chosen = params.teachers.members if settings.members == "all" else settings.members
    names = folds.names(params.teachers.folds)
    found = {name: member_logits.read(task, name, names, splits) for name in chosen}
    held_out = settings.calibration == "held_out"
    temperatures = member_logits.temperatures(found) if held_out else None
    store.write(path, splits, found, rule, temperatures)


if __name__ == "__main__":
    _cli.run(app)

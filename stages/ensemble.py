"""Join one task's member logits into its soft labels."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline import paths, stage_registry
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
    """Join one task's member logits into its soft labels.

    Each member's logits are joined over its folds, then the members by ensemble.rule.

    Reads data/prepared/TASK, data/transfer/TASK and data/logits/TASK.
    Writes data/soft_labels/TASK.parquet.

    Example: mtdnnkd ensemble --task rte
    """
    params = file.load()
    stage_registry.instance("ensemble", params, task=task)
    prepared, path, settings = paths.prepared(task), paths.soft_labels(task), params.ensemble
    rule = rules.written(settings.rule)
    if rows.absent(prepared):
        print(f"{task}: no train rows at the source, no soft labels", file=sys.stderr)
        definition = layouts.task_of(task, params.tasks[task].custom)
        store.write_missing(path, definition, rule)
        return
    splits = rows.read_splits(prepared)
    if task in params.transfer and (transfer := transfer_rows.read(task)) is not None:
        splits[rows.TRANSFER] = transfer
    # Names come from params.yaml, never from the disk: a deleted member leaves its folder behind.
    members = params.teachers.members if settings.members == "all" else settings.members
    names = folds.names(params.teachers.folds)
    logits = {name: member_logits.read(task, name, names, splits) for name in members}
    held_out = settings.calibration == "held_out"
    temperatures = member_logits.temperatures(logits) if held_out else None
    store.write(path, splits, logits, rule, temperatures)


if __name__ == "__main__":
    _cli.run(app)

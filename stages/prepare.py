"""Turn one task's raw files into typed rows, one Parquet file a split."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import artifacts, command, paths
from pipeline.params import file

if TYPE_CHECKING:
    from pipeline.preparation import Preparation
    from pipeline.rows import Rows

app = command.application()


@app.command()
def main(task: Annotated[str, typer.Option(help="Task's name in params.yaml.")]) -> None:
    """Turn one task's files into typed rows with ids, text hashes and canonical labels.

    Reads data/raw/TASK. Writes data/prepared/TASK, one Parquet file a split.
    """
    from pipeline import preparation, rows

    params = file.load()
    command.one_of(task, params.tasks, "tasks")
    prepared = preparation.prepare(task, paths.raw(task), params)
    with artifacts.new_folder(paths.prepared(task)) as draft:
        for split, found in prepared.splits.items():
            rows.write(draft / f"{split}.parquet", found.table, found.metadata)
        if not prepared.splits:
            note = {"task": task, "source": prepared.source, "missing": list(prepared.missing)}
            artifacts.write_json(draft / rows.MISSING, note)
    _tell(prepared)


def _tell(prepared: Preparation) -> None:
    name = prepared.task.name
    for split, found in prepared.splits.items():
        print(f"{name}/{split}: {_line(found)}")
        if found.metadata["partial"]:
            print(f"partial: {name}/{split}: {_count(found)}", file=sys.stderr)
    for split in prepared.missing:
        print(f"missing: {name}/{split}: not in this source; going on without it", file=sys.stderr)


def _line(found: Rows) -> str:
    cap = found.metadata["cap"]
    partial = f", partial ({_count(found)})" if found.metadata["partial"] else ""
    return f"{len(found):,} rows{partial}" + (f", cap {cap:,}" if cap is not None else "")


def _count(found: Rows) -> str:
    rows, official = found.metadata["source_rows"], found.metadata["official_rows"]
    return f"{rows:,} rows in the source, {official:,} officially"


if __name__ == "__main__":
    command.run(app)

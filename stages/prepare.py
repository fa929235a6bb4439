"""Turn one task's files into typed rows with ids, hashes and canonical labels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import paths, stage_registry
from pipeline.params import file
from pipeline.runtime import artifacts
from stages import _cli

if TYPE_CHECKING:
    from pipeline.data.prepare import Preparation
    from pipeline.data.rows import Rows

app = _cli.application()


@app.command()
def main(task: Annotated[str, typer.Option(help="Task's name in params.yaml.")]) -> None:
    """Turn one task's files into typed rows with ids, hashes and canonical labels.

    Reads data/raw/TASK, and data/texts if transfer names a file of it.
    Writes data/prepared/TASK, one Parquet file per split, and data/transfer/TASK: transfer rows
    without labels.

    Example: mtdnnkd prepare --task rte
    """
    from pipeline.data import prepare

    params = file.load()
    stage_registry.instance("prepare", params, task=task)
    prepared = prepare.prepare(task, paths.raw(task), params)
    with (
        artifacts.new_folder(paths.prepared(task)) as staging,
        artifacts.new_folder(paths.transfer(task)) as transfer,
    ):
        _write(staging, transfer, prepared, wanted=task in params.transfer)
    _print_counts(prepared)


def _write(staging: Path, transfer: Path, prepared: Preparation, *, wanted: bool) -> None:
    from pipeline.data import rows, transfer_rows

    task = prepared.task.name
    for split, content in prepared.splits.items():
        rows.write(staging / f"{split}.parquet", content.table, content.metadata)
    if not prepared.splits:
        note = {"task": task, "source": prepared.source, "missing": list(prepared.missing)}
        artifacts.write_json(staging / rows.MISSING, note)
    reason = "no train rows at the source" if wanted else "none asked for"
    transfer_rows.write(transfer, task, prepared.transfer, f"{task}: {reason}, no transfer rows")


def _print_counts(prepared: Preparation) -> None:
    name = prepared.task.name
    for split, rows in prepared.splits.items():
        print(f"{name}/{split}: {_line(rows)}")
        if rows.metadata["partial"]:
            print(f"partial: {name}/{split}: {_count(rows)}", file=sys.stderr)
    for split in prepared.missing:
        print(f"missing: {name}/{split}: not in this source; going on without it", file=sys.stderr)
    if (transfer := prepared.transfer) is not None:
        print(f"{name}/{transfer.split}: {_transfer_line(transfer, prepared.held_out)}")


def _line(rows: Rows) -> str:
    cap = rows.metadata["cap"]
    partial = f", partial ({_count(rows)})" if rows.metadata["partial"] else ""
    return f"{len(rows):,} rows{partial}" + (f", cap {cap:,}" if cap is not None else "")


def _transfer_line(rows: Rows, held_out: str) -> str:
    transfer = rows.metadata["transfer"]
    which = f" ({held_out})" if held_out else ""
    return (
        f"{len(rows):,} of {rows.metadata['source_rows']:,} rows (source {transfer['source']}): "
        f"{transfer['duplicates']:,} dropped as duplicates, "
        f"{transfer['held_out']:,} left out as they occur in dev or test{which}"
    )


def _count(rows: Rows) -> str:
    source, official = rows.metadata["source_rows"], rows.metadata["official_rows"]
    return f"{source:,} rows in the source, {official:,} officially"


if __name__ == "__main__":
    _cli.run(app)

"""Read and write transfer rows: rows without labels that teachers score for the student."""

from __future__ import annotations

from pathlib import Path

from pipeline import paths
from pipeline.data import rows
from pipeline.data.rows import Rows
from pipeline.errors import DataError
from pipeline.runtime import artifacts
from pipeline.stage_registry import remake


def write(folder: Path, task: str, transfer: Rows | None, note: str) -> None:
    """Write one task's transfer rows to a folder, or the reason that there are none.

    Args:
        folder: the folder, or its staging folder.
        task: the task's name.
        transfer: the rows; None for none.
        note: why there are none.
    """
    if transfer is None:
        artifacts.write_json(folder / rows.MISSING, {"task": task, "note": note})
    else:
        rows.write(folder / paths.transfer_rows(task).name, transfer.table, transfer.metadata)


def read(task: str) -> Rows | None:
    """One task's transfer rows, split `transfer`, labels null; None if it has none.

    Raises:
        DataError: the task has not been prepared, or the file cannot be read.
    """
    if (paths.transfer(task) / rows.MISSING).exists():
        return None
    path = paths.transfer_rows(task)
    if not path.exists():
        raise DataError("no transfer rows", where=path, fix=remake(path))
    return rows.read(path)

"""Turn a task's raw folder into typed rows: checked, capped, with ids and text hashes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.data import folds, row_caps, unlabelled
from pipeline.data.formats import layouts, readers
from pipeline.data.rows import Rows, row_id, typed
from pipeline.params import sources
from pipeline.params.sections import Params
from pipeline.tasks import Task, part_of


@dataclass(frozen=True)
class Preparation:
    """One task's prepared rows, and the splits that its source lacks.

    Attributes:
        task: the task.
        source: a name of `data.source`.
        splits: rows of each split that the source has, in the task's order.
        missing: splits that the source does not have, in the task's order.
        transfer: rows without labels, if params.yaml names any and the source has
            train rows for their teachers.
        held_out: a sentence on the transfer rows left out because they occur in dev or test.
    """

    task: Task
    source: str
    splits: dict[str, Rows]
    missing: tuple[str, ...]
    transfer: Rows | None = None
    held_out: str = ""


def prepare(name: str, folder: Path, params: Params) -> Preparation:
    """Read, check and cap all splits of one task, and choose its transfer rows.

    Args:
        name: the task's name under `tasks`.
        folder: the task's raw folder, with source.json.
        params: all parameters; row caps, `data.cap_seed`, `transfer`, and names and folds of
            teachers are used.

    Raises:
        DataError: the folder or one of its files does not fit its layout, `transfer` asks for
            rows that the source lacks, or there are too few train rows for the folds.
    """
    custom = params.tasks[name].custom
    task, layout = layouts.task_of(name, custom), layouts.layout_of(name, custom)
    raw = readers.read(folder, name)
    if not raw.files:
        return Preparation(task, raw.source, {}, tuple(task.rows))
    whole = {split: read() for split, read in readers.readers(raw, task, layout).items()}
    splits = {
        split: _rows(task, split, table, raw.source, params) for split, table in whole.items()
    }
    missing = tuple(split for split in task.rows if split not in splits)
    transfer, held_out = None, ""
    if "train" in splits:
        _require_folds(splits["train"], params)
        pool = unlabelled.Source(task, layout, whole, splits["train"], params.data.cap_seed)
        transfer, held_out = _further(pool, params)
    return Preparation(task, raw.source, splits, missing, transfer, held_out)


def _require_folds(train: Rows, params: Params) -> None:
    """Refuse too few train rows now, and not after hours of training other teachers."""
    if params.teachers.cross_fitted and train.task.name in params.teachers.tasks:
        folds.held_out(train, len(params.teachers.folds))


def _further(pool: unlabelled.Source, params: Params) -> tuple[Rows | None, str]:
    """Transfer rows if params.yaml names any, and `Preparation.held_out`."""
    request = params.transfer.get(pool.task.name)
    return (None, "") if request is None else unlabelled.collect(request, pool)


def _rows(task: Task, split: str, table: pa.Table, source: str, params: Params) -> Rows:
    cap = _cap(task, split, params)
    kept = row_caps.kept(
        len(table),
        cap,
        seed=params.data.cap_seed,
        task=task.name,
        split=split,
        classes=row_caps.classes(task, split, table),
    )
    index = kept.tolist()
    ids = [row_id(task.name, split, position) for position in index]
    metadata = _metadata(task, split, source, len(table), cap)
    return Rows(typed(task, table.take(kept), index, ids), metadata)


def _cap(task: Task, split: str, params: Params) -> int | None:
    part = part_of(split)
    cap: int | None = getattr(params.tasks[task.name].rows, "test" if part == "ax" else part)
    return cap


def _metadata(
    task: Task, split: str, source: str, source_rows: int, cap: int | None
) -> dict[str, Any]:
    # Generated rows imitate a task, so no official number of rows applies.
    official = None if sources.generated(source) else task.rows[split]
    return {
        "task": task.name,
        "title": task.title,
        "split": split,
        "labels": list(task.labels),
        "regression": task.regression,
        "low": task.low,
        "high": task.high,
        "metrics": list(task.metrics),
        "glue": task.glue,
        "source": source,
        "source_rows": source_rows,
        "official_rows": official,
        "partial": official is not None and source_rows != official,
        "cap": cap,
    }

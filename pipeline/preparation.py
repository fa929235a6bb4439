"""From a task's raw folder to typed rows: counted, capped, with ids and text hashes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline import caps, layouts, splits
from pipeline.params.sections import Params
from pipeline.rows import Rows, row_id, schema, text_hash
from pipeline.tasks import Task, part_of


@dataclass(frozen=True)
class Preparation:
    """One task's rows, and what its source does not have.

    Attributes:
        task: the task.
        source: sample, local, official or hub.
        splits: rows of each split that the source has, in the task's order.
        missing: splits that the source does not have, in the task's order.
    """

    task: Task
    source: str
    splits: dict[str, Rows]
    missing: tuple[str, ...]


def prepare(name: str, folder: Path, params: Params) -> Preparation:
    """Read, check and cap all splits of one task.

    Args:
        name: the task's name under `tasks`.
        folder: the task's raw folder, with source.json.
        params: all parameters; row caps and `data.cap_seed` are used.

    Raises:
        DataError: the folder or one of its files is not what its layout says.
    """
    custom = params.tasks[name].custom
    task = layouts.task_of(name, custom)
    raw = splits.read(folder, name)
    if not raw.files:
        return Preparation(task, raw.source, {}, tuple(task.rows))
    readers = splits.readers(raw, task, layouts.layout_of(name, custom))
    found = {
        split: _rows(task, split, read(), raw.source, params) for split, read in readers.items()
    }
    missing = tuple(split for split in task.rows if split not in found)
    return Preparation(task, raw.source, found, missing)


def _rows(task: Task, split: str, found: pa.Table, source: str, params: Params) -> Rows:
    cap = _cap(task, split, params)
    stratified = layouts.is_labelled(split) and not task.regression
    keep = caps.kept(
        len(found),
        cap,
        seed=params.data.cap_seed,
        task=task.name,
        split=split,
        classes=found["label"].to_numpy().astype("int64") if stratified else None,
    )
    metadata = _metadata(task, split, source, len(found), cap)
    return Rows(_typed(task, split, found.take(keep), keep.tolist()), metadata)


def _cap(task: Task, split: str, params: Params) -> int | None:
    part = part_of(split)
    cap: int | None = getattr(params.tasks[task.name].rows, "test" if part == "ax" else part)
    return cap


def _typed(task: Task, split: str, found: pa.Table, index: list[int]) -> pa.Table:
    first, second = found["sentence1"].to_pylist(), found["sentence2"].to_pylist()
    columns = [
        [row_id(task.name, split, position) for position in index],
        index,
        found["sentence1"].combine_chunks(),
        found["sentence2"].combine_chunks(),
        found["label"].combine_chunks(),
        [text_hash(one, two) for one, two in zip(first, second, strict=True)],
    ]
    kinds = schema(task)
    arrays = [
        pa.array(column, kind.type) if isinstance(column, list) else column
        for column, kind in zip(columns, kinds, strict=True)
    ]
    return pa.table(arrays, schema=kinds)


def _metadata(
    task: Task, split: str, source: str, source_rows: int, cap: int | None
) -> dict[str, Any]:
    # Generated rows imitate a task: there is no official number that they could fall short of.
    official = None if source == "sample" else task.rows[split]
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

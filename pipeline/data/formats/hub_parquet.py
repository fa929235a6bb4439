"""Read task files in the Hub's Parquet layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.data.formats.layouts import HUB_LABEL, Layout, is_labelled
from pipeline.data.parquet_file import readable
from pipeline.data.rows import schema
from pipeline.errors import DataError
from pipeline.tasks import Task

_FIX = "check that the file is the task's own, in the layout of the Hub's data set"


def read(path: Path, task: Task, layout: Layout, split: str) -> pa.Table:
    """Read one split.

    Class ids are put into the task's canonical order by the class names in the file's metadata;
    without names the ids must be in that order already.

    Returns:
        Columns sentence1, sentence2 and label, as `rows.schema` has them.

    Raises:
        DataError: not Parquet, a missing column, a text that is null or not UTF-8, a label that
            is not one of the task's.
    """
    table = _columns(path, layout, split)
    first, *second = (_text(table[name], name, path) for name in layout.hub_texts)
    kinds = schema(task)
    nulls = pa.nulls(len(table), pa.string())
    labels = (
        _labels(table, task, path)
        if is_labelled(split)
        else pa.nulls(len(table), kinds.field("label").type)
    )
    columns = [first, second[0] if second else nulls, labels]
    return pa.table(columns, schema=pa.schema([kinds.field(n) for n in _NAMES]))


_NAMES = ("sentence1", "sentence2", "label")


def _columns(path: Path, layout: Layout, split: str) -> pa.Table:
    wanted = [*layout.hub_texts, *([HUB_LABEL] if is_labelled(split) else [])]
    with readable(path, "fetch the file again"):
        file = pq.ParquetFile(path)
        for column in wanted:
            if column not in file.schema_arrow.names:
                seen = ", ".join(map(repr, file.schema_arrow.names))
                raise DataError(f"missing column {column!r}", seen=seen, where=path, fix=_FIX)
        table = file.read(columns=wanted)
        table.validate(full=True)
    if not len(table):
        raise DataError("the file has no rows", where=path, fix="fetch the file again")
    return table


def _text(column: pa.ChunkedArray, name: str, path: Path) -> pa.ChunkedArray:
    if column.null_count:
        row = column.is_null().index(True).as_py()
        raise DataError(
            "a text is null", where=f"{path}, row {row}, column {name!r}", fix="take the row out"
        )
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"column {name!r} is not text", seen=str(column.type), where=path, fix=_FIX
        ) from error


def _labels(table: pa.Table, task: Task, path: Path) -> pa.Array:
    column = table[HUB_LABEL]
    numeric = pa.types.is_floating if task.regression else pa.types.is_integer
    if not numeric(column.type):
        raise DataError(
            f"column {HUB_LABEL!r} does not hold {'scores' if task.regression else 'class ids'}",
            seen=str(column.type),
            where=path,
            fix=_FIX,
        )
    # A missing label becomes -1, which is outside every range: a single check finds it.
    values = column.fill_null(-1).to_numpy()
    low, high = (task.low, task.high) if task.regression else (0, task.outputs - 1)
    bad = ~((values >= low) & (values <= high))
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            "unknown label",
            seen=f"{column[row].as_py()!r}; allowed: {_allowed(task, low, high)}",
            where=f"{path}, row {row}, column {HUB_LABEL!r}",
            fix="fix or take out the row",
        )
    if task.regression:
        return pa.array(values.astype(np.float32))
    return pa.array(_canonical(table, task, path)[values.astype(np.int64)])


def _allowed(task: Task, low: float, high: float) -> str:
    if task.regression:
        return f"a number from {low:g} to {high:g}"
    return ", ".join(f"{i} ({name})" for i, name in enumerate(task.labels))


def _canonical(table: pa.Table, task: Task, path: Path) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Canonical class id of each of the file's class ids, `(classes,)`."""
    where = f"{path}, metadata of column {HUB_LABEL!r}"
    try:
        names = _class_names(table)
    except (ValueError, AttributeError, TypeError) as error:  # bytes, JSON or its structure
        raise DataError(
            "the file's class names cannot be read", seen=str(error), where=where, fix=_FIX
        ) from error
    if names is None:
        names = list(task.labels)
    if sorted(names) != sorted(task.labels):
        raise DataError(
            "the file's class names are not the task's",
            seen=f"{', '.join(names)}; allowed: {', '.join(task.labels)}",
            where=where,
            fix=_FIX,
        )
    return np.array([task.labels.index(name) for name in names], dtype=np.int32)


def _class_names(table: pa.Table) -> list[str] | None:
    """Class names in the metadata that the `datasets` library writes, if there are any."""
    note = (table.schema.metadata or {}).get(b"huggingface")
    if note is None:
        return None
    names = json.loads(note).get("info", {}).get("features", {}).get(HUB_LABEL, {}).get("names")
    return None if names is None else [str(name) for name in names]

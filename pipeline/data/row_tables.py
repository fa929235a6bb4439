"""Parquet files of logits and soft labels: key columns, task metadata, vector columns, checks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.data import parquet_file
from pipeline.data.parquet_file import ParquetFile
from pipeline.data.rows import Rows
from pipeline.errors import DataError, SoftLabelError
from pipeline.tasks import Task

ROW_GROUP = 20_000  # rows; a streaming reader has one group in memory
DESCRIPTION = ("task", "title", "labels", "regression", "low", "high", "metrics", "glue")
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Described:
    """A table about rows of one task, with the metadata of its file.

    Attributes:
        table: one row per example, `key_fields` first.
        metadata: schema_version, the task as returned by `describe`, and more.
    """

    table: pa.Table
    metadata: Mapping[str, Any]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def task(self) -> Task:
        """The task as the file describes it; its `rows` are the splits in the file."""
        return described(self.metadata, self.table)


def key_fields(task: Task) -> list[pa.Field]:
    """Columns that identify the example of a row; `label` is null where there is none."""
    return [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("text_hash", pa.string(), nullable=False),
        pa.field("label", pa.float32() if task.regression else pa.int32()),
    ]


def keys(splits: Mapping[str, Rows]) -> pa.Table:
    """Columns `key_fields` of prepared rows, splits one after the other."""
    return pa.concat_tables(key_batches(splits))


def key_batches(splits: Mapping[str, Rows]) -> Iterator[pa.Table]:
    """The table of `keys`, in tables of some thousand rows."""
    for name, split in splits.items():
        schema = pa.schema(key_fields(split.task))
        for part in split.batches("row_id", "text_hash", "label"):
            names = pa.array([name]).take(pa.array(np.zeros(len(part), np.int64)))
            columns = [part["row_id"], names, part["text_hash"], part["label"]]
            yield pa.table(columns, schema=schema)


def describe(task: Task) -> dict[str, Any]:
    """Metadata that describe a task, for a file about its rows."""
    named = {"task": task.name, "labels": list(task.labels), "metrics": list(task.metrics)}
    return named | {key: getattr(task, key) for key in DESCRIPTION if key not in named}


def described(metadata: Mapping[str, Any], table: pa.Table) -> Task:
    """The task that `describe` wrote; its `rows` count the rows of each split in `table`."""
    known = "split" in table.schema.names
    counts = table["split"].value_counts().to_pylist() if known else []
    return Task(
        name=metadata["task"],
        title=metadata["title"],
        labels=tuple(metadata["labels"]),
        metrics=tuple(metadata["metrics"]),
        rows={count["values"]: count["counts"] for count in counts},
        low=metadata["low"],
        high=metadata["high"],
        glue=metadata["glue"],
    )


def vector(width: int) -> pa.DataType:
    """Arrow type of one row's logits: `width` float32 values, none of them null."""
    return pa.list_(pa.field("element", pa.float32(), nullable=False), width)


def column(values: npt.NDArray[Any]) -> pa.Array:
    """Values `(rows, width)` as an Arrow column of fixed-size lists of float32."""
    flat = pa.array(np.ascontiguousarray(values, dtype=np.float32).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, type=vector(values.shape[1]))


def matrix(chunks: pa.ChunkedArray, width: int) -> Floats:
    """A column of fixed-size lists as `(rows, width)` float32; no copy if it is one chunk."""
    parts = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in chunks.chunks]
    if len(parts) == 1:
        values: Floats = parts[0].reshape(-1, width)
        return values
    return np.concatenate([np.empty(0, np.float32), *parts]).reshape(-1, width)


def write(path: Path, table: pa.Table, metadata: Mapping[str, Any]) -> None:
    """Write a table in row groups of `ROW_GROUP`; the same table gives the same bytes."""
    parquet_file.write_table(
        path, table, metadata, row_group_size=ROW_GROUP, use_dictionary=["split"]
    )


def write_batches(
    path: Path, schema: pa.Schema, tables: Iterable[pa.Table], metadata: Mapping[str, Any]
) -> None:
    """Write tables as `write` would write them in one, with one row group in memory."""
    parquet_file.write_batches(path, schema, tables, metadata, ROW_GROUP, use_dictionary=["split"])


def read_versioned(
    path: Path, version: int, what: str, fix: str, required: Iterable[str] = ()
) -> tuple[pa.Table, dict[str, Any]]:
    """Read a Parquet file whose metadata must name a schema version.

    Raises:
        SoftLabelError: the file is missing, cannot be read, is of another version, or its metadata
            lacks a key that is `required`.
    """
    open_versioned(path, version, what, fix, required)
    with readable(path, fix):
        return parquet_file.read_table(path)


def open_versioned(
    path: Path, version: int, what: str, fix: str, required: Iterable[str] = ()
) -> ParquetFile:
    """Open a Parquet file whose metadata must name a schema version.

    Raises:
        SoftLabelError: the file is missing, cannot be read, is of another version, or its metadata
            lacks a key that is `required`.
    """
    if not path.exists():
        raise SoftLabelError(f"no {what}", where=path, fix=fix)
    with readable(path, fix):
        file = parquet_file.open_file(path)
    if file.metadata.get("schema_version") != version:
        raise SoftLabelError(
            f"not a {what} of version {version}",
            seen=f"version {file.metadata.get('schema_version')}",
            where=path,
            fix=fix,
        )
    if absent := sorted({"task", *required} - file.metadata.keys()):
        raise SoftLabelError(f"the {what}'s metadata lacks {absent}", where=path, fix=fix)
    return file


@contextlib.contextmanager
def readable(path: Path, fix: str | None) -> Iterator[None]:
    """Add the command that makes a file again to the error about damage to it.

    Raises:
        SoftLabelError: the file cannot be read.
    """
    try:
        yield
    except DataError as error:
        raise SoftLabelError(error.what, seen=error.seen, where=path, fix=fix) from error


def check_columns(table: pa.Table, expected: pa.Schema, path: Path, fix: str | None) -> None:
    """Refuse a table whose columns, types or nulls are not those of `expected`.

    Raises:
        SoftLabelError: names the first column that differs, or the first row with a null.
    """
    check_types(table.schema, expected, path, fix)
    check_nulls(table, expected, path, fix)


def check_types(schema: pa.Schema, expected: pa.Schema, path: Path, fix: str | None) -> None:
    """Refuse columns whose names or types are not those of `expected`.

    Raises:
        SoftLabelError: names the first column that differs.
    """
    if schema.names != expected.names:
        raise SoftLabelError(
            f"other columns than {expected.names}", seen=schema.names, where=path, fix=fix
        )
    for field in expected:
        kind = schema.field(field.name).type
        if kind != field.type:
            raise SoftLabelError(
                f"column {field.name} is not of type {field.type}",
                seen=str(kind),
                where=path,
                fix=fix,
            )


def check_nulls(table: pa.Table, expected: pa.Schema, path: Path, fix: str | None) -> None:
    """Refuse a null in a column that `expected` says has none.

    Args:
        table: some columns of `expected`, `row_id` among them.
        expected: the schema.
        path: the file, for the error.
        fix: the command that makes the file again.

    Raises:
        SoftLabelError: names the first row.
    """
    for name in table.schema.names:
        if not expected.field(name).nullable and table[name].null_count:
            at = int(np.argmax(table[name].is_null().to_numpy()))
            seen = row_name(table, at)
            raise SoftLabelError(f"column {name} is null", seen=seen, where=path, fix=fix)


def check_finite(table: pa.Table, name: str, path: Path | None, fix: str | None) -> None:
    """Refuse NaN and infinity in a vector column.

    Raises:
        SoftLabelError: names the first row.
    """
    values = matrix(table[name], table.schema.field(name).type.list_size)
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        at = int(np.argmax(bad))
        raise SoftLabelError(
            f"column {name} is not finite",
            seen=f"{row_name(table, at)}: {values[at].tolist()}",
            where=path,
            fix=fix,
        )


def row_name(table: pa.Table, at: int) -> str:
    """Id of the row at a position, for errors."""
    return str(table["row_id"][at].as_py())

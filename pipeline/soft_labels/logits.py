"""Read and write one model's logits as Parquet, joined to their rows by id and text hash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data import row_tables
from pipeline.data.row_tables import Floats
from pipeline.data.rows import Rows
from pipeline.errors import SoftLabelError
from pipeline.stage_registry import remake
from pipeline.tasks import Task

SCHEMA_VERSION = 1


def schema(task: Task) -> pa.Schema:
    """Columns of a logits file."""
    return pa.schema(
        [
            *row_tables.key_fields(task),
            pa.field("logits", row_tables.vector(task.outputs), nullable=False),
        ]
    )


@dataclass(frozen=True)
class Logits(row_tables.Described):
    """One model's logits for the rows of one task.

    Attributes:
        table: columns as in `schema`, splits one after the other.
        metadata: schema_version, the task as returned by `describe`, and `model`.
    """

    @property
    def model(self) -> Mapping[str, Any]:
        """Manifest of the model: name, hash of its weights, encoder, training, dev metrics."""
        model: Mapping[str, Any] = self.metadata["model"]
        return model

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits in the file, in its order."""
        return tuple(self.table["split"].unique().to_pylist())

    @property
    def values(self) -> Floats:
        """The logits, `(rows, classes)`, in the order of `table`; a view where possible."""
        return row_tables.matrix(self.table["logits"], self.task.outputs)

    def split(self, name: str) -> Logits:
        """The same model's logits of one split only (no rows if the file has no such split)."""
        return Logits(self.table.filter(pc.equal(self.table["split"], name)), self.metadata)


def describe(task: Task, model: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of one model's logits for one task."""
    return {"schema_version": SCHEMA_VERSION, **row_tables.describe(task), "model": dict(model)}


def tabulate(splits: Mapping[str, Rows], values: Floats) -> pa.Table:
    """Columns as in `schema` of prepared rows, with logits `(rows, classes)` in their order."""
    field = schema(next(iter(splits.values())).task).field("logits")
    return row_tables.keys(splits).append_column(field, row_tables.column(values))


def write(
    path: Path,
    splits: Mapping[str, Rows],
    values: Mapping[str, npt.NDArray[Any]],
    model: Mapping[str, Any],
) -> None:
    """Write one model's logits; the same logits give the same bytes.

    Args:
        path: the file to write.
        splits: the prepared rows that were scored, by split; all of one task, at least one split.
        values: logits `(rows, classes)` of the same splits, in the order of the rows.
        model: manifest of the model; must be JSON.

    Raises:
        SoftLabelError: a split has no logits or logits no split, or they have another number of
            rows or classes, or one is NaN or infinite.
    """
    if set(splits) != set(values) or not splits:
        raise SoftLabelError(
            "logits are not of the splits they are written for",
            seen=f"logits of {sorted(values)}, rows of {sorted(splits)}",
            where=path,
        )
    task = next(iter(splits.values())).task
    parts = {name: _part(path, split, values[name], task) for name, split in splits.items()}
    batches = _batches(path, splits, parts)
    row_tables.write_batches(path, schema(task), batches, describe(task, model))


def read(path: Path) -> Logits:
    """Read one model's logits, memory-mapped.

    Args:
        path: a file that `write` made.

    Raises:
        SoftLabelError: the file is missing, of another version or with other columns, or a logit
            is NaN or infinite.
    """
    needed, fix = {*row_tables.DESCRIPTION, "model"}, remake(path)
    table, metadata = row_tables.read_versioned(path, SCHEMA_VERSION, "logits file", fix, needed)
    logits = Logits(table, metadata)
    row_tables.check_columns(table, schema(logits.task), path, fix)
    row_tables.check_finite(table, "logits", path, fix)
    return logits


def _batches(
    path: Path, splits: Mapping[str, Rows], values: Mapping[str, Floats]
) -> Iterator[pa.Table]:
    """Columns as in `schema`, a batch of rows at a time, their logits checked."""
    for name, split in splits.items():
        field, start = schema(split.task).field("logits"), 0
        for keys in row_tables.key_batches({name: split}):
            batch = row_tables.column(values[name][start : start + len(keys)])
            table = keys.append_column(field, batch)
            row_tables.check_finite(table, "logits", path, "train with a lower learning rate")
            yield table
            start += len(keys)


def _part(path: Path, split: Rows, values: npt.NDArray[Any], task: Task) -> Floats:
    if values.shape != (len(split), task.outputs):
        raise SoftLabelError(
            f"{task.name}/{split.split} has {len(split)} rows and {task.outputs} outputs a row",
            seen=f"logits of shape {values.shape}",
            where=path,
        )
    return values.astype(np.float32, copy=False)

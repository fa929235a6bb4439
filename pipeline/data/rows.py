"""Prepared rows of one split: their Parquet file, and the ids and text hashes that join them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data import parquet_file
from pipeline.data.parquet_file import ParquetFile
from pipeline.errors import DataError
from pipeline.runtime.memory_mapped import MappedBuffer
from pipeline.stage_registry import remake
from pipeline.tasks import Task

SCHEMA_VERSION = 1
MISSING = "missing.json"  # the only file of a folder whose task the source does not have
TRANSFER = "transfer"  # the split of rows that only teachers label


def text_hash(sentence1: str, sentence2: str | None) -> str:
    """128 bits of SHA-256 over both texts, in hex; the first text's length keeps them apart."""
    first = sentence1.encode()
    rest = b"" if sentence2 is None else b"\0" + sentence2.encode()
    return hashlib.sha256(b"%d\0" % len(first) + first + rest).hexdigest()[:32]


def row_id(task: str, split: str, index: int) -> str:
    """Id of a row, which never changes: task, split and position in the source's file."""
    return f"{task}/{split}/{index}"


def schema(task: Task) -> pa.Schema:
    """Columns of a prepared file; `label` is null where the source has none."""
    label = pa.float32() if task.regression else pa.int32()
    return pa.schema(
        [
            pa.field("row_id", pa.string(), nullable=False),
            pa.field("index", pa.int32(), nullable=False),
            pa.field("sentence1", pa.string(), nullable=False),
            pa.field("sentence2", pa.string()),
            pa.field("label", label),
            pa.field("text_hash", pa.string(), nullable=False),
        ]
    )


def typed(task: Task, table: pa.Table, index: Sequence[int], ids: Sequence[str]) -> pa.Table:
    """Turn rows of a source's file into the columns of `schema`.

    Args:
        task: the task.
        table: columns sentence1, sentence2 and label.
        index: position of each row in the source's file.
        ids: id of each row.
    """
    first, second = table["sentence1"].to_pylist(), table["sentence2"].to_pylist()
    columns = [
        ids,
        index,
        table["sentence1"].combine_chunks(),
        table["sentence2"].combine_chunks(),
        table["label"].combine_chunks(),
        [text_hash(*texts) for texts in zip(first, second, strict=True)],
    ]
    kinds = schema(task)
    arrays = [
        pa.array(column, kind.type) if isinstance(column, list) else column
        for column, kind in zip(columns, kinds, strict=True)
    ]
    return pa.table(arrays, schema=kinds)


@dataclass(frozen=True)
class Rows:
    """Rows of one split and the metadata of their file; the rows are in memory or in the file.

    Attributes:
        source: columns as in `schema`, one row per example: a table, or a file read in batches.
        metadata: task, split, labels (canonical order), regression, low, high, metrics, title,
            glue, source, source_rows, official_rows, partial, cap; of transfer rows also
            `transfer`: source, file, duplicates, held_out.
    """

    source: pa.Table | ParquetFile | _Joined | _Kept
    metadata: Mapping[str, Any]

    def __len__(self) -> int:
        return int(self.source.num_rows)

    def batches(self, *columns: str) -> Iterator[pa.Table]:
        """Some columns, in tables of some thousand rows, in their order; at least one table.

        Raises:
            DataError: the file is damaged.
        """
        if not isinstance(self.source, pa.Table):
            yield from self.source.batches(columns)
            return
        table = self.source.select(columns)
        for start in range(0, max(1, len(table)), parquet_file.BATCH):
            yield table.slice(start, parquet_file.BATCH)

    def columns(self, *names: str) -> pa.Table:
        """Some columns of all rows, read into memory."""
        return pa.concat_tables(self.batches(*names))

    @property
    def table(self) -> pa.Table:
        """All columns of all rows, read into memory at every call."""
        if isinstance(self.source, pa.Table):
            return self.source
        return self.columns(*self.source.schema.names)

    @cached_property
    def task(self) -> Task:
        """The task as the file describes it."""
        meta = self.metadata
        return Task(
            name=meta["task"],
            title=meta["title"],
            labels=tuple(meta["labels"]),
            metrics=tuple(meta["metrics"]),
            rows={meta["split"]: meta["official_rows"]},
            pair=not any(part["sentence2"].null_count for part in self.batches("sentence2")),
            low=meta["low"],
            high=meta["high"],
            glue=meta["glue"],
        )

    @property
    def labels(self) -> np.ndarray:
        """Gold labels `(rows,)`: int64 classes, or float32 scores; 0 where there is none."""
        labels = MappedBuffer(np.float32 if self.metadata["regression"] else np.int64)
        for part in self.batches("label"):
            labels.append(pc.fill_null(part["label"], 0).to_numpy())
        return labels.array()

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Whether each row has a gold label, `(rows,)`."""
        flags = MappedBuffer(bool)
        for part in self.batches("label"):
            flags.append(part["label"].is_valid().to_numpy())
        return flags.array()

    @property
    def split(self) -> str:
        """Split the rows belong to."""
        return str(self.metadata["split"])

    def where(self, flags: npt.NDArray[np.bool_]) -> Rows:
        """The rows whose flags `(rows,)` are set, in their order."""
        return Rows(_Kept(self, flags), self.metadata)


Splits = Mapping[str, Rows]  # split -> rows


@dataclass(frozen=True)
class _Joined:
    """Rows one after the other."""

    parts: tuple[Rows, ...]

    @property
    def num_rows(self) -> int:
        return sum(map(len, self.parts))

    @property
    def schema(self) -> pa.Schema:
        return self.parts[0].source.schema

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        for part in self.parts:
            yield from part.batches(*columns)


@dataclass(frozen=True)
class _Kept:
    """Some of the rows: those whose flags are set."""

    rows: Rows
    flags: npt.NDArray[np.bool_]

    @property
    def num_rows(self) -> int:
        return int(self.flags.sum())

    @property
    def schema(self) -> pa.Schema:
        return self.rows.source.schema

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        start = 0
        for part in self.rows.batches(*columns):
            yield part.filter(self.flags[start : start + len(part)])
            start += len(part)


def concatenate(first: Rows, second: Rows) -> Rows:
    """Rows of two splits of one task as one, `first` then `second`, with `first`'s metadata.

    Raises:
        ValueError: they are not of the same task.
    """
    if first.source.schema != second.source.schema or _identity(first) != _identity(second):
        raise ValueError(f"rows of two tasks: {_identity(first)} and {_identity(second)}")
    return Rows(_Joined((first, second)), first.metadata)


def _identity(rows: Rows) -> list[Any]:
    return [rows.metadata[key] for key in ("task", "labels", "low", "high")]


def write(path: Path, table: pa.Table, metadata: Mapping[str, Any]) -> None:
    """Write one prepared split; the same rows give the same bytes."""
    parquet_file.write_table(path, table, {"schema_version": SCHEMA_VERSION, **metadata})


def read(path: Path) -> Rows:
    """Open one prepared split and read it once to check it; the rows stay in the file.

    Raises:
        DataError: the file is missing, damaged or not a prepared file of this version.
    """
    if not path.exists():
        raise DataError("no prepared rows", where=path, fix=remake(path))
    file = parquet_file.open_file(path)
    if file.metadata.get("schema_version") != SCHEMA_VERSION:
        raise DataError(
            f"not a prepared file of version {SCHEMA_VERSION}",
            seen=file.metadata.get("schema_version"),
            where=path,
            fix=remake(path, force=True),
        )
    for _ in file.batches():  # damage shows here, not after hours of training
        pass
    return Rows(file, file.metadata)


def read_splits(folder: Path) -> dict[str, Rows]:
    """All prepared splits of one task by name, in the order train, dev, test, ax.

    Raises:
        DataError: the folder holds no prepared split.
    """
    order = {"train": 0, "dev": 1, "test": 2, "ax": 3}
    files = sorted(
        folder.glob("*.parquet"), key=lambda f: (order.get(f.stem.partition("_")[0], 9), f.stem)
    )
    if not files:
        raise DataError("no prepared rows", where=folder, fix=remake(folder))
    return {file.stem: read(file) for file in files}


def absent(folder: Path) -> bool:
    """Whether a prepared task has no train rows because its source has none.

    Raises:
        DataError: the task has not been prepared at all.
    """
    if (folder / "train.parquet").exists():
        return False
    if not folder.is_dir():
        raise DataError("no prepared rows", where=folder, fix=remake(folder))
    return True

"""Prepared rows: the typed Parquet file of one split, and the ids and hashes that rows join by."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import artifacts
from pipeline.errors import DataError
from pipeline.tasks import Task

SCHEMA_VERSION = 1
MISSING = "missing.json"  # all that a folder holds when the source does not have the task
TRANSFER = "transfer"  # the split of rows that only teachers label
METADATA_KEY = b"mtdnnkd"


def text_hash(sentence1: str, sentence2: str | None) -> str:
    """128 bits of SHA-256 over both texts, in hex; the first text's length keeps them apart."""
    first = sentence1.encode()
    rest = b"" if sentence2 is None else b"\0" + sentence2.encode()
    return hashlib.sha256(b"%d\0" % len(first) + first + rest).hexdigest()[:32]


def row_id(task: str, split: str, index: int) -> str:
    """Name of a row for life: its task, split and position in the source's file."""
    return f"{task}/{split}/{index}"


def schema(task: Task) -> pa.Schema:
    """Columns of a prepared file; `label` is null where the source gives none."""
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


def typed(task: Task, found: pa.Table, index: Sequence[int], ids: Sequence[str]) -> pa.Table:
    """Columns as in `schema`, of rows as the source's file has them.

    Args:
        task: the task.
        found: columns sentence1, sentence2 and label.
        index: position of each row in the source's file.
        ids: id of each row.
    """
    first, second = found["sentence1"].to_pylist(), found["sentence2"].to_pylist()
    columns = [
        ids,
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


@dataclass(frozen=True)
class Rows:
    """Rows of one split with what their file says of them.

    Attributes:
        table: columns as in `schema`, one row an example.
        metadata: task, split, labels (canonical order), regression, low, high, metrics, title,
            glue, source, source_rows, official_rows, partial, cap; of transfer rows also
            `transfer`: source, file, duplicates, held_out.
    """

    table: pa.Table
    metadata: Mapping[str, Any]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def task(self) -> Task:
        """The task as the file describes it."""
        meta = self.metadata
        return Task(
            name=meta["task"],
            title=meta["title"],
            labels=tuple(meta["labels"]),
            metrics=tuple(meta["metrics"]),
            rows={meta["split"]: meta["official_rows"]},
            pair=self.table["sentence2"].null_count == 0,
            low=meta["low"],
            high=meta["high"],
            glue=meta["glue"],
        )

    @property
    def labels(self) -> np.ndarray:
        """Gold labels `(rows,)`: int64 classes, or float32 scores; 0 where there is none."""
        kind = np.float32 if self.metadata["regression"] else np.int64
        filled = pc.fill_null(self.table["label"], 0)
        return np.asarray(filled.to_numpy().astype(kind))

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Whether each row has a gold label, `(rows,)`."""
        return np.asarray(self.table["label"].is_valid().to_numpy(), dtype=bool)

    @property
    def split(self) -> str:
        """Split the rows belong to."""
        return str(self.metadata["split"])


def concatenate(first: Rows, second: Rows) -> Rows:
    """Rows of two splits of one task as one, `first` then `second`, with `first`'s metadata.

    Raises:
        ValueError: they are not of the same task.
    """
    if first.table.schema != second.table.schema or _identity(first) != _identity(second):
        raise ValueError(f"rows of two tasks: {_identity(first)} and {_identity(second)}")
    return Rows(pa.concat_tables([first.table, second.table]), first.metadata)


def _identity(found: Rows) -> list[Any]:
    return [found.metadata[key] for key in ("task", "labels", "low", "high")]


def write(path: Path, table: pa.Table, metadata: Mapping[str, Any]) -> None:
    """Write one prepared split; the same rows give the same bytes."""
    write_table(path, table, {"schema_version": SCHEMA_VERSION, **metadata})


def read(path: Path) -> Rows:
    """Read one prepared split.

    Raises:
        DataError: the file is missing or not a prepared file of this version.
    """
    if not path.exists():
        raise DataError("no prepared rows", where=path, mend="dvc repro prepare")
    table, metadata = read_table(path)
    if metadata.get("schema_version") != SCHEMA_VERSION:
        raise DataError(
            f"not a prepared file of version {SCHEMA_VERSION}",
            seen=metadata.get("schema_version"),
            where=path,
            mend="dvc repro --force prepare",
        )
    return Rows(table, metadata)


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
        raise DataError("no prepared rows", where=folder, mend="dvc repro prepare")
    return {file.stem: read(file) for file in files}


def absent(folder: Path) -> bool:
    """Whether a prepared task has no train rows because its source has none.

    Raises:
        DataError: the task has not been prepared at all.
    """
    if (folder / "train.parquet").exists():
        return False
    if not folder.is_dir():
        raise DataError("no prepared rows", where=folder, mend=f"dvc repro prepare@{folder.name}")
    return True


def write_table(
    path: Path, table: pa.Table, metadata: Mapping[str, Any], **options: object
) -> None:
    """Write a Parquet file with JSON metadata under `METADATA_KEY`, atomically.

    Args:
        path: the file to write.
        table: its columns.
        metadata: must go into JSON.
        options: of `pyarrow.parquet.write_table`.
    """
    note = json.dumps(metadata, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
    with artifacts.new_file(path) as draft:
        pq.write_table(table.replace_schema_metadata({METADATA_KEY: note}), draft, **options)


def read_table(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Read a Parquet file memory-mapped, with its JSON metadata ({} if it has none).

    Raises:
        DataError: the file is not Parquet, is cut short or damaged, or its metadata is not a
            JSON object.
    """
    with readable(path):
        table = pq.read_table(path, memory_map=True)
        table.validate(full=True)
        table = table.select(table.column_names)  # names are decoded only when asked for
    return table, _metadata(table, path)


@contextlib.contextmanager
def readable(path: Path, mend: str | None = None) -> Iterator[None]:
    """Turn what Arrow raises about a file's bytes into an error that names the file.

    Raises:
        DataError: the file is not Parquet, is cut short or damaged.
        OSError: the system could not read the file.
    """
    try:
        yield
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        # Arrow tells damaged bytes by a bare OSError; the system's have a number or own class.
        if isinstance(error, OSError) and (error.errno or type(error) is not OSError):
            raise
        raise DataError(
            "not a readable Parquet file", seen=str(error), where=path, mend=mend
        ) from error


def _metadata(table: pa.Table, path: Path) -> dict[str, Any]:
    note = (table.schema.metadata or {}).get(METADATA_KEY, b"{}")
    try:
        found = json.loads(note)
    except ValueError as error:  # UnicodeDecodeError is one as well
        raise DataError("metadata is not JSON", seen=str(error), where=path) from error
    if not isinstance(found, dict):
        raise DataError("metadata is not a JSON object", seen=found, where=path)
    return found
